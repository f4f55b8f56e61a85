package resp

// Kind is the type of a value: its first byte on the wire.
type Kind byte

// The types of RESP2 (the first five) and RESP3.
const (
	SimpleString Kind = '+'
	Error        Kind = '-'
	Integer      Kind = ':'
	Bulk         Kind = '$'
	Array        Kind = '*'
	Null         Kind = '_'
	Double       Kind = ','
	Bool         Kind = '#'
	BlobError    Kind = '!'
	Verbatim     Kind = '='
	BigNumber    Kind = '('
	Map          Kind = '%'
	Set          Kind = '~'
	Push         Kind = '>'
	Attribute    Kind = '|'
)

// Value is one value as a client reads it. Which fields count depends on Kind:
//
//	SimpleString, Error, Bulk, BlobError, BigNumber   Str
//	Verbatim                                          Str (the text) and Format
//	Integer                                           Int
//	Bool                                              Int, 1 or 0
//	Double                                            Float, and Str as it came
//	Array, Set, Push                                  Elems
//	Map                                               Elems: key, value, key, value, …
//	Null                                              none; also for RESP2's two nulls
type Value struct {
	Kind   Kind
	Str    []byte
	Int    int64
	Float  float64
	Elems  []Value
	Format string  // three letters, as "txt"
	Attr   []Value // the attribute that came before the value, flat as a Map
}

// IsError reports whether the value is an error of either form.
func (v *Value) IsError() bool { return v.Kind == Error || v.Kind == BlobError }

// IsNull reports whether the value is a null.
func (v *Value) IsNull() bool { return v.Kind == Null }

// Text returns the value's Str as a string.
func (v *Value) Text() string { return string(v.Str) }
