package rdb

import (
	"encoding/binary"
	"errors"

	"github.com/skeindb/skein/internal/base/crc64"
)

// Errors of a dump of libraries.
var (
	// ErrLibraryBeta: the form of the candidates for redis 7.0.
	ErrLibraryBeta = errors.New("rdb: a library in the format of the candidates for redis 7.0")
	// ErrNotLibrary: something else than a library.
	ErrNotLibrary = errors.New("rdb: not a library")
)

// DumpLibraries appends a dump of libraries of functions, given by their sources: what stands of each in a
// file, and the footer of a dump.
func (e *Encoder) DumpLibraries(dst []byte, sources [][]byte) []byte {
	from := len(dst)
	for _, code := range sources {
		dst = e.AppendString(append(dst, opFunction), code)
	}
	return e.seal(dst, from, Version)
}

// UndumpLibraries reads a dump of libraries. The error is ErrFooter, ErrLibraryBeta or ErrNotLibrary, or wraps
// ErrCorrupt.
func UndumpLibraries(dump []byte) (sources [][]byte, err error) {
	if len(dump) < footerBytes || binary.LittleEndian.Uint64(dump[len(dump)-8:]) != crc64.Update(0, dump[:len(dump)-8]) {
		return nil, ErrFooter
	}
	body, foot := dump[:len(dump)-footerBytes], dump[len(dump)-footerBytes:]
	if binary.LittleEndian.Uint16(foot) > MaxVersion {
		return nil, ErrFooter
	}
	for d := NewDecoder(body, Limits{}); d.Offset() < int64(len(body)); {
		switch d.Type() {
		case opFunction:
		case opFunctionBeta:
			return nil, ErrLibraryBeta
		default:
			return nil, ErrNotLibrary
		}
		code := append([]byte(nil), d.String()...)
		if d.Err() != nil {
			return nil, d.Err()
		}
		sources = append(sources, code)
	}
	return sources, nil
}
