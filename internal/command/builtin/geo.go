package builtin

import (
	"bytes"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/geo"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func geoSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "geoadd", Group: "geo", Since: "3.2.0",
		Summary:    "Adds places to a sorted set, or moves them.",
		Complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
		Arity:      -5, Flags: command.Write | command.DenyOOM,
		Keys:    command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:   "key [NX | XX]:condition@6.2.0 [CH:change@6.2.0] <longitude:double latitude:double member>:data...",
		History: [][2]string{{"6.2.0", "`CH`, `NX` and `XX` came."}},
		Write:   geoAdd,
	}, {
		Name: "geopos", Group: "geo", Since: "3.2.0",
		Summary:    "Gives the longitude and latitude of places.",
		Complexity: "O(1) for each member requested.",
		Arity:      -2, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key [member...]",
		Read:  geoPos,
	}, {
		Name: "geodist", Group: "geo", Since: "3.2.0",
		Summary:    "Gives the distance of two places.",
		Complexity: "O(1)",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key member1 member2 [M | KM | FT | MI]:unit",
		Read:  geoDist,
	}, {
		Name: "geohash", Group: "geo", Since: "3.2.0",
		Summary:    "Gives places as geohash texts.",
		Complexity: "O(1) for each member requested.",
		Arity:      -2, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key [member...]",
		Read:  geoHash,
	}}
}

// placeOf is the place that a score stands for. Of a score that GEOADD gives no place,
// it is what redis makes of it on amd64, on every machine.
func placeOf(score float64) geo.Point {
	switch {
	case score >= 1<<64:
		return geo.At(0)
	case score >= 0:
		return geo.At(uint64(score))
	case score < -1<<63:
		return geo.At(1 << 63)
	}
	return geo.At(uint64(int64(score)))
}

// parsePlace reads a longitude and a latitude.
func parsePlace(a *command.Args) (p geo.Point) {
	p.Lon, p.Lat = a.Float(), a.Float()
	if a.Err() == nil && !p.Valid() {
		a.Fail(command.Error("ERR invalid longitude,latitude pair " + sixPlaces(p.Lon) + "," + sixPlaces(p.Lat)))
	}
	return p
}

// sixPlaces is d as C's %f writes it.
func sixPlaces(d float64) string {
	switch {
	case math.IsInf(d, 1):
		return "inf"
	case math.IsInf(d, -1):
		return "-inf"
	}
	return strconv.FormatFloat(d, 'f', 6, 64)
}

// parseUnit reads a unit of length, in metres.
func parseUnit(a *command.Args) float64 {
	switch a.OneOf("M", "KM", "FT", "MI") {
	case 0:
		return 1
	case 1:
		return 1000
	case 2:
		return 0.3048
	case 3:
		return 1609.34
	}
	a.Fail(command.Error("ERR unsupported unit provided. please use M, KM, FT, MI"))
	return 0
}

// replyDistance replies with a distance with four decimal places, as a text in either
// protocol.
func replyDistance(out *resp.Writer, d float64) {
	var scratch [32]byte
	scaled := math.RoundToEven(d * 10000)
	if math.Abs(scaled) >= 1<<62 {
		out.Bulk(strconv.AppendFloat(scratch[:0], d, 'f', 4, 64))
		return
	}
	n := int64(scaled)
	text := strconv.AppendInt(scratch[:0], n/10000, 10)
	text = append(text, '.')
	places := len(text)
	text = strconv.AppendInt(text, 10000+n%10000, 10)
	text = append(text[:places], text[places+1:]...)
	out.Bulk(text)
}

// replyCoordinate replies with a coordinate with up to 17 decimal places.
func replyCoordinate(out *resp.Writer, d float64) {
	var scratch [64]byte
	text := strconv.AppendFloat(scratch[:0], d, 'f', 17, 64)
	text = bytes.TrimSuffix(bytes.TrimRight(text, "0"), []byte("."))
	if string(text) == "-0" {
		text = text[1:]
	}
	out.DoubleText(text)
}

func replyPlace(out *resp.Writer, p geo.Point) {
	out.Array(2)
	replyCoordinate(out, p.Lon)
	replyCoordinate(out, p.Lat)
}

// geoAdd is ZADD with places in place of scores, and becomes that for replicas.
func geoAdd(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(2)
	var f zaddFlags
	for {
		if a.Is("NX") {
			f.nx = true
		} else if a.Is("XX") {
			f.xx = true
		} else if a.Is("CH") {
			f.ch = true
		} else {
			break
		}
	}
	at, n := a.Index(), a.Left()/3
	if a.Left()%3 != 0 || f.nx && f.xx {
		c.Fail(command.Error(command.ErrSyntax))
		return
	}
	argv := make([][]byte, 0, at+2*n)
	argv = append(append(argv, []byte("zadd")), c.Args[1:at]...)
	for range n {
		p := parsePlace(&a)
		if a.Err() != nil {
			c.Fail(a.Err())
			return
		}
		argv = append(argv, strconv.AppendUint(nil, p.Score(), 10), a.Next())
	}
	if zaddArgs(c, tx, argv, zaddFlags{}) {
		tx.Propagate(argv...)
	}
}

func geoPos(c *command.Call, tx *keyspace.ReadTx) {
	eachPlace(c, tx, (*resp.Writer).NullArray, replyPlace)
}

func geoHash(c *command.Call, tx *keyspace.ReadTx) {
	eachPlace(c, tx, (*resp.Writer).Null, func(out *resp.Writer, p geo.Point) { out.BulkString(p.Hash()) })
}

// eachPlace replies with something about each of the members named.
func eachPlace(c *command.Call, tx *keyspace.ReadTx, missing func(*resp.Writer), reply func(*resp.Writer, geo.Point)) {
	z, ok := find[*zset.ZSet](c, tx)
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, m := range c.Args[2:] {
		if p, ok := placeIn(z, m); ok {
			reply(c.Out, p)
		} else {
			missing(c.Out)
		}
	}
}

// placeIn is the place of a member of a sorted set, which may be nil.
func placeIn(z *zset.ZSet, m []byte) (p geo.Point, ok bool) {
	if z == nil {
		return p, false
	}
	score, ok := z.Score(m)
	return placeOf(score), ok
}

func geoDist(c *command.Call, tx *keyspace.ReadTx) {
	unit := 1.0
	switch a := c.Parse(4); {
	case len(c.Args) > 5:
		c.Out.Error(command.ErrSyntax)
		return
	case a.More():
		if unit = parseUnit(&a); a.Err() != nil {
			c.Fail(a.Err())
			return
		}
	}
	z, ok := find[*zset.ZSet](c, tx)
	if !ok {
		return
	}
	p, ok := placeIn(z, c.Args[2])
	q, alsoOK := placeIn(z, c.Args[3])
	if !ok || !alsoOK {
		c.Out.Null()
		return
	}
	replyDistance(c.Out, geo.Distance(p, q)/unit)
}
