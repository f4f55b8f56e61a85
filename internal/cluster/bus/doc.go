// Package bus is the codec of the Redis Cluster bus: the packets that the nodes of a cluster exchange on
// their second TCP port. It is bit-exact with Redis 7.2.4, whose form every version from 7.0 on reads, and
// it knows what later versions and Valkey add, to the extent of stepping over it.
//
// The package holds no connection and no state of the cluster: Append writes a message, Decode reads one.
//
// # The packet
//
// All numbers are big-endian. A packet is a header of 2256 bytes and a body that depends on the type.
//
//	offset size
//	     0    4  "RCmb"
//	     4    4  length of the whole packet
//	     8    2  version, 1
//	    10    2  client port of the sender (TLS port in a tls-cluster)
//	    12    2  type
//	    14    2  number of gossip entries
//	    16    8  current epoch
//	    24    8  config epoch (of a replica: its master's)
//	    32    8  replication offset
//	    40   40  id of the sender, hexadecimal
//	    80 2048  slots of the sender (of a replica: its master's): slot s is bit s&7 of byte s/8
//	  2128   40  id of its master, NULs for a master
//	  2168   46  announced IP, NUL-padded; all NULs: take the address of the connection
//	  2214    2  number of extensions
//	  2216   30  unused
//	  2246    2  the other client port, 0: none
//	  2248    2  bus port
//	  2250    2  flags of the sender
//	  2252    1  state of the cluster: 0 ok, 1 fail
//	  2253    3  message flags; the first byte: 1 paused, 2 force-ack, 4 extensions follow;
//	             the second is ours: why a vote was refused (type Refusal). Others leave and ignore it
//	  2256       body
//
//	type                         body                                              length
//	0 ping, 1 pong, 2 meet       gossip entries, then extensions                   2256+104n+ext
//	3 fail                       id of the node that failed                        2296
//	4 publish, 10 publishshard   u32 and u32 lengths, channel, message             2264+len
//	5 auth-req, 6 auth-ack, 8 mfstart   none                                       2256
//	7 update                     u64 config epoch, id, 2048 bytes of slots         4352
//	9 module                     8 bytes module id, u32 length, u8 type, data      2269+len
//
// A gossip entry:
//
//	0 id (40) | 40 ping sent, s (4) | 44 pong received, s (4) | 48 IP (46) | 94 port | 96 bus port |
//	98 flags | 100 other port | 102 unused (2) -> 104 bytes
//
// An extension is a head of 8 bytes (u32 length with the head, u16 type, 2 unused) and a body; its length
// is a multiple of 8:
//
//	0 hostname        text with a NUL, padded                       Redis 7.0
//	1 nodename        text with a NUL, padded                       Redis 7.2
//	2 forgotten node  id, u64 remaining seconds -> 56               Redis 7.2, one per banned node
//	3 shard id        id -> 48                                      Redis 7.2, always sent
//	4 internal secret 40 bytes -> 48                                Redis 8.0, skipped
//	4 client IPv4     text; the sender's flags hold 2048            Valkey 8.0, skipped
//	5 … 9             client IPv6, client port, client TLS port,
//	                  availability zone, replica priority           Valkey 8.0 … 9.2, skipped
//
// # Bad packets
//
// Two things can be wrong, and the link survives one of them. Bytes that are no packet, a packet shorter
// than a header, or one longer than any honest node sends mean that we do not know where the next packet
// starts: Decode reports an error and consumes nothing, and the caller closes the link. A packet whose
// frame is sound but whose content is not (another version, an unknown type, lengths that do not add up)
// is stepped over: Decode reports an *Ignored and the number of bytes to drop.
//
// Ids and texts of a packet end up in nodes.conf and in replies to clients, so a gossip entry with an id
// that is not hexadecimal, or with a text that would break a line of nodes.conf, is left out and counted.
//
// # Peers of Redis 7.0
//
// Redis 7.2.4 sends its extensions to everybody. A 7.0 node knows only the host name, logs "Received
// unknown extension type" at warning level for each other one, and otherwise reads the packet. Since the
// shard id rides on every heartbeat, its log fills. So we speak to it as it speaks itself: AppendFor with
// Redis70 writes the host name only, and not even the extension flag if there is none, which a 6.2 node
// can read too. (*Msg).Dialect tells from a heartbeat what its sender understands; until a node has been
// heard the 7.2 form is the right one, because newer peers send their extensions only to a node that has
// shown its own. The port fields need no care: 7.0 puts 0 into the other port unless it is a tls-cluster,
// and there it means the same thing.
package bus
