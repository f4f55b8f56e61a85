package rdb

// Type is the byte that tells how the value behind it is written.
type Type uint8

// The types of values that redis up to 7.4 writes. Those of modules are 6 and 7.
const (
	TypeString           Type = 0
	TypeList             Type = 1
	TypeSet              Type = 2
	TypeZSet             Type = 3 // scores as text
	TypeHash             Type = 4
	TypeZSet2            Type = 5 // scores as binary doubles
	TypeHashZipmap       Type = 9
	TypeListZiplist      Type = 10
	TypeSetIntset        Type = 11
	TypeZSetZiplist      Type = 12
	TypeHashZiplist      Type = 13
	TypeListQuicklist    Type = 14
	TypeStreamListpacks  Type = 15
	TypeHashListpack     Type = 16
	TypeZSetListpack     Type = 17
	TypeListQuicklist2   Type = 18
	TypeStreamListpacks2 Type = 19
	TypeSetListpack      Type = 20 // since version 11
	TypeStreamListpacks3 Type = 21 // since version 11
	TypeHashMetadata     Type = 24 // since version 12: with deadlines of fields
	TypeHashListpackEx   Type = 25 // since version 12: with deadlines of fields
)

// typeWords name the types of values in errors.
var typeWords = [...]string{
	"string", "list", "set", "sorted set", "hash", "sorted set", "module value", "module value", "",
	"hash", "list", "set", "sorted set", "hash", "list", "stream", "hash", "sorted set", "list", "stream", "set", "stream", "", "", "hash", "hash",
}

// word names t, or says that nobody knows it.
func (t Type) word() string {
	if int(t) < len(typeWords) && typeWords[t] != "" {
		return typeWords[t]
	}
	return "unknown"
}

// What stands in a file where a type could: the others are numbers too large
// for one.
const (
	opSlotInfo     = 244 // valkey 8 in cluster mode
	opFunction     = 245
	opFunctionBeta = 246 // before redis 7.0 was finished
	opModuleAux    = 247
	opIdle         = 248
	opFreq         = 249
	opAux          = 250
	opSizes        = 251
	opExpiryMs     = 252
	opExpirySec    = 253
	opDatabase     = 254
	opEnd          = 255
)

// What the two highest bits of a length's first byte say, and the encodings of a
// string that has no plain length.
const (
	len6  = 0 << 6
	len14 = 1 << 6
	len32 = 0x80
	len64 = 0x81

	encoded   = 3 << 6
	encInt8   = 0
	encInt16  = 1
	encInt32  = 2
	encLZF    = 3
	shapeMask = 3 << 6
)
