// Package resp speaks the Redis serialization protocol, versions 2 and 3.
//
// A request is an array of bulk strings, or one line of text (an inline
// command). GET key travels as
//
//	*2\r\n          two arguments follow
//	$3\r\nGET\r\n   three bytes, then CR LF
//	$3\r\nkey\r\n
//
// A reply is one value. Its first byte tells its type:
//
//	+text\r\n            simple string         -CODE text\r\n   error
//	:123\r\n             integer               $3\r\nabc\r\n    bulk string
//	*2\r\n…              array                 $-1\r\n *-1\r\n  nulls of RESP2
//	_\r\n                null (RESP3, as is all that follows)
//	,3.14\r\n            double                #t\r\n #f\r\n    boolean
//	(123…\r\n            big number            =7\r\ntxt:abc\r\n  verbatim string
//	%2\r\n k v k v       map of 2 pairs        ~2\r\n…          set
//	>2\r\n…              push, out of band     |1\r\n k v       attribute of the next value
//	!5\r\nERR x\r\n      error with a length
//
// [Parser] takes requests out of a server's read buffer, in place. [Writer]
// appends replies to a buffer, in the protocol version that a client has
// chosen; the Append functions under it are for RESP2 and for requests.
// [Reader] reads replies on the client's side.
package resp
