// Package rdb reads and writes redis's RDB format: whole files and streams
// (Writer, Read), and single values, which DUMP replies with, RESTORE takes and
// MIGRATE sends (Encoder, Undump). It knows every type but those of modules.
//
// # Versions
//
// What is written is version 10, which redis 7.0 can load; it is version 12, that
// of redis 7.4, where hashes have fields with deadlines. What is read are versions
// 1 to 12: all of redis up to 7.4 and of valkey up to 8. Valkey 9 writes another.
//
// # File
//
//	"REDIS0010"                                 magic and version, in decimal
//	fa  string  string                          a named fact, as often as there are any
//	f5  string                                  a library of functions, its source
//	fe  length                                  the number of the database that follows
//	fb  length  length                          how many keys it has, how many of them with a deadline
//	[fc int64 LE]  deadline, Unix ms            before version 3: fd int32 LE, Unix seconds
//	[f8 length]    seconds since the last use
//	[f9 byte]      counter of the LFU
//	    type  string  value                     a key
//	ff                                          the end
//	CRC-64 of all before it, LE                 since version 5; 0 means that there is none
//
// Redis 7.4 and valkey 8 in cluster mode add f4 and three lengths before the keys of
// a slot: its number, how many keys it has, how many with a deadline. Files with data of
// modules (f7, types 6 and 7) and with functions of the candidates for redis 7.0
// (f6) are refused.
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
//
// # Collections
//
// A number in front is the type. A name in angle brackets stands in a string;
// length counts what follows.
//
//	18  length, (1, <element> | 2, <listpack>) ...                    list, its nodes
//	11  <intset>                                                      set
//	 2  length, <member> ...                                          set
//	17  <listpack: member, score ...>                                 sorted set
//	 5  length, (<member>, float64 LE) ...                            sorted set, the greatest first
//	16  <listpack: field, value ...>                                  hash
//	 4  length, (<field>, <value>) ...                                hash
//	24  first, length, (0 | deadline - first + 1, <field>, <value>) ...
//	                                                                  hash whose fields have deadlines
//	19  blocks, ends and counters, groups with what is pending        stream
//
// The first of the deadlines is an int64 in Unix ms, little endian. In addition there
// are read: older forms of all of these (1, 3, 9, 10, 12 to 15; ziplist.go draws what
// they are made of), the listpack of a set (20), a stream with the time when a consumer
// was active last (21), and the listpack of a hash whose fields have deadlines (25).
//
// What is read is checked as it comes: a listpack from end to end, a member or field
// that stands there twice, what a stream says of itself.
package rdb

// Version is the version that is written, unless there is something that it cannot
// carry.
const Version = 10

// VersionFieldExpiry is the version that has hashes whose fields have deadlines:
// that of redis 7.4.
const VersionFieldExpiry = 12

// MaxVersion is the newest version that is read.
const MaxVersion = VersionFieldExpiry
