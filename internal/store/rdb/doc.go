// Package rdb reads and writes values in redis's RDB format: what DUMP replies
// with, RESTORE takes, and MIGRATE sends. So far it knows strings; a value of
// another type is refused by its type and its place.
//
// # Versions
//
// What is written is version 10, which redis 7.0 can load; what is read goes up
// to version 11, that of redis 7.2. Strings are the same in all versions.
//
// # Dump
//
//	+------+-------+------------------+------------------+
//	| type | value | version, 2 bytes | CRC-64 of all    |
//	|      |       | little endian    | before it, 8     |
//	+------+-------+------------------+------------------+
//
// # Length
//
// The two highest bits of the first byte tell how to go on:
//
//	00LLLLLL                       a length up to 63
//	01LLLLLL LLLLLLLL              up to 16383, high bits first
//	10000000 LLLLLLLL × 4          32 bits, big endian
//	10000001 LLLLLLLL × 8          64 bits, big endian
//	11EEEEEE                       no length: a string in encoding E follows
//
// # String
//
//	length, bytes                          as it stands
//	11000000 int8                          a number: its decimal text is the string
//	11000001 int16, little endian
//	11000010 int32, little endian
//	11000011 length, length, LZF           the compressed length, the real one, the data
//
// A number takes the shortest form it fits in. Longer than 20 bytes, a string is
// compressed if that saves at least 4. For example, "1234" as a dump:
//
//	00 c1 d2 04 0a 00 xx xx xx xx xx xx xx xx
package rdb

// Version is the version that is written.
const Version = 10

// MaxVersion is the newest version that is read.
const MaxVersion = 11
