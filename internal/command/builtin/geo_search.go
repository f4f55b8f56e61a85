package builtin

import (
	"cmp"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/geo"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func geoSearchSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "geosearch", Group: "geo", Since: "6.2.0",
		Summary:    "Lists the places in a circle or a box.",
		Complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
		Arity:      -7, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:   "key <FROMMEMBER member | FROMLONLAT <longitude:double latitude:double>>:from <<BYRADIUS radius:double <M | KM | FT | MI>:unit>:circle | <BYBOX width:double height:double <M | KM | FT | MI>:unit>:box>:by [ASC | DESC]:order [COUNT count:integer [ANY]]:count-block [WITHCOORD] [WITHDIST] [WITHHASH]",
		History: [][2]string{{"7.0.0", "The units may be in upper case."}},
		Read:    func(c *command.Call, tx *keyspace.ReadTx) { geoRead(c, tx, geoForm{search: true}) },
	}, {
		Name: "geosearchstore", Group: "geo", Since: "6.2.0",
		Summary:    "Stores the places in a circle or a box at a key.",
		Complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
		Arity:      -8, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyOW | command.KeyUpdate, Index: 1},
			{Flags: command.KeyRO | command.KeyAccess, Index: 2},
		},
		Usage:   "destination:key source:key <FROMMEMBER member | FROMLONLAT <longitude:double latitude:double>>:from <<BYRADIUS radius:double <M | KM | FT | MI>:unit>:circle | <BYBOX width:double height:double <M | KM | FT | MI>:unit>:box>:by [ASC | DESC]:order [COUNT count:integer [ANY]]:count-block [STOREDIST]",
		History: [][2]string{{"7.0.0", "The units may be in upper case."}},
		Write:   func(c *command.Call, tx *keyspace.WriteTx) { geoWrite(c, tx, geoForm{search: true, store: true}) },
	}, {
		Name: "georadius", Group: "geo", Since: "3.2.0",
		Summary:    "Lists the places in a circle around a point, or stores them at a key.",
		Complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
		Arity:      -6, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Index: 1},
			{Flags: command.KeyOW | command.KeyUpdate, Keyword: "STORE", StartFrom: 6},
			{Flags: command.KeyOW | command.KeyUpdate, Keyword: "STOREDIST", StartFrom: 6},
		},
		Usage:      "key longitude:double latitude:double radius:double <M | KM | FT | MI>:unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count:integer [ANY@6.2.0]]:count-block [ASC | DESC]:order [STORE storekey=key:key | STOREDIST storedistkey=key:key]:store",
		History:    [][2]string{{"6.2.0", "`ANY` came."}, {"7.0.0", "The units may be in upper case."}},
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
		Write:      func(c *command.Call, tx *keyspace.WriteTx) { geoWrite(c, tx, geoForm{mayStore: true}) },
	}, {
		Name: "georadius_ro", Group: "geo", Since: "3.2.10",
		Summary:    "Lists the places in a circle around a point.",
		Complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
		Arity:      -6, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key longitude:double latitude:double radius:double <M | KM | FT | MI>:unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count:integer [ANY@6.2.0]]:count-block [ASC | DESC]:order",
		History:    [][2]string{{"6.2.0", "`ANY` came."}},
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`GEOSEARCH` with the `BYRADIUS` argument",
		Read:       func(c *command.Call, tx *keyspace.ReadTx) { geoRead(c, tx, geoForm{}) },
	}, {
		Name: "georadiusbymember", Group: "geo", Since: "3.2.0",
		Summary:    "Lists the places in a circle around one of them, or stores them at a key.",
		Complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
		Arity:      -5, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Index: 1},
			{Flags: command.KeyOW | command.KeyUpdate, Keyword: "STORE", StartFrom: 5},
			{Flags: command.KeyOW | command.KeyUpdate, Keyword: "STOREDIST", StartFrom: 5},
		},
		Usage:      "key member radius:double <M | KM | FT | MI>:unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count:integer [ANY]]:count-block [ASC | DESC]:order [STORE storekey=key:key | STOREDIST storedistkey=key:key]:store",
		History:    [][2]string{{"7.0.0", "The units may be in upper case."}},
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
		Write:      func(c *command.Call, tx *keyspace.WriteTx) { geoWrite(c, tx, geoForm{member: true, mayStore: true}) },
	}, {
		Name: "georadiusbymember_ro", Group: "geo", Since: "3.2.10",
		Summary:    "Lists the places in a circle around one of them.",
		Complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
		Arity:      -5, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key member radius:double <M | KM | FT | MI>:unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count:integer [ANY]]:count-block [ASC | DESC]:order",
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
		Read:       func(c *command.Call, tx *keyspace.ReadTx) { geoRead(c, tx, geoForm{member: true}) },
	}}
}

// geoForm says which of the commands it is.
type geoForm struct {
	search   bool // GEOSEARCH, whose centre and shape are options
	store    bool // GEOSEARCHSTORE
	member   bool // BYMEMBER: a member is the centre
	mayStore bool // STORE and STOREDIST are options
}

// geoQuery is what they ask for.
type geoQuery struct {
	geoForm
	z     *zset.ZSet
	shape geo.Shape

	withDist, withHash, withCoord bool
	sort                          int8 // 1: near places first, -1: far ones
	count                         int64
	any                           bool // whichever count places come first

	storeAt   []byte // nil: reply
	storeDist bool

	fromMember, fromPlace, byRadius, byBox bool
}

// geoRead is GEOSEARCH and the read-only forms.
func geoRead(c *command.Call, tx *keyspace.ReadTx, form geoForm) {
	q := geoQuery{geoForm: form}
	if err := q.read(c, tx); err != nil {
		c.Fail(err)
		return
	}
	q.reply(c.Out)
}

// geoWrite is the forms that store, or may.
func geoWrite(c *command.Call, tx *keyspace.WriteTx, form geoForm) {
	q := geoQuery{geoForm: form}
	if err := q.read(c, &tx.ReadTx); err != nil {
		c.Fail(err)
		return
	}
	if q.storeAt == nil {
		q.reply(c.Out)
		return
	}
	event := "georadiusstore"
	if q.search {
		event = "geosearchstore"
	}
	items := q.scored()
	storeZSet(c, tx, q.storeAt, items, event)
	tx.CountMore(q.storeAt, max(len(items), 1))
}

// read finds the key and reads the arguments.
func (q *geoQuery) read(c *command.Call, tx *keyspace.ReadTx) (err error) {
	source := 1
	if q.store {
		source, q.storeAt = 2, c.Args[1]
	}
	if q.z, err = keyspace.Find[*zset.ZSet](tx, c.Args[source]); err != nil {
		return err
	}
	a := c.Parse(source + 1)
	switch {
	case q.search:
	case q.member && q.z == nil: // the options tell what to reply
		a = c.Parse(source + 4)
	case q.member:
		q.center(&a)
		q.radius(&a)
	default:
		q.shape.Center = parsePlace(&a)
		q.radius(&a)
	}
	for a.More() {
		if !q.option(&a) && !(q.search && q.where(&a)) && !(q.mayStore && q.target(&a)) {
			a.Syntax()
		}
	}
	if a.Err() != nil {
		return a.Err()
	}
	return q.check(c)
}

// center reads a member that is the centre.
func (q *geoQuery) center(a *command.Args) {
	m := a.Next()
	if q.z == nil {
		return
	}
	var ok bool
	if q.shape.Center, ok = placeIn(q.z, m); !ok {
		a.Fail(command.Error("ERR could not decode requested zset member"))
	}
}

// radius reads a radius with its unit.
func (q *geoQuery) radius(a *command.Args) {
	q.shape.Box = false
	if q.shape.Radius = floatOr(a, "ERR need numeric radius"); q.shape.Radius < 0 {
		a.Fail(command.Error("ERR radius cannot be negative"))
	}
	q.shape.Unit = parseUnit(a)
}

// box reads the size of a box with its unit.
func (q *geoQuery) box(a *command.Args) {
	q.shape.Box = true
	q.shape.Width = floatOr(a, "ERR need numeric width")
	q.shape.Height = floatOr(a, "ERR need numeric height")
	if q.shape.Width < 0 || q.shape.Height < 0 {
		a.Fail(command.Error("ERR height or width cannot be negative"))
	}
	q.shape.Unit = parseUnit(a)
}

// option reads one of the options that all forms have.
func (q *geoQuery) option(a *command.Args) bool {
	switch {
	case a.Is("WITHDIST"):
		q.withDist = true
	case a.Is("WITHHASH"):
		q.withHash = true
	case a.Is("WITHCOORD"):
		q.withCoord = true
	case a.Is("ANY"):
		q.any = true
	case a.Is("ASC"):
		q.sort = 1
	case a.Is("DESC"):
		q.sort = -1
	case a.IsWith("COUNT", 1):
		if q.count = a.Int(); a.Err() == nil && q.count <= 0 {
			a.Fail(command.Error("ERR COUNT must be > 0"))
		}
	default:
		return false
	}
	return true
}

// where reads one of the options of GEOSEARCH that say where to search.
func (q *geoQuery) where(a *command.Args) bool {
	switch {
	case q.store && a.Is("STOREDIST"):
		q.storeDist = true
	case !q.fromPlace && a.IsWith("FROMMEMBER", 1):
		q.fromMember = true
		q.center(a)
	case !q.fromMember && a.IsWith("FROMLONLAT", 2):
		q.fromPlace = true
		q.shape.Center = parsePlace(a)
	case !q.byBox && a.IsWith("BYRADIUS", 2):
		q.byRadius = true
		q.radius(a)
	case !q.byRadius && a.IsWith("BYBOX", 3):
		q.byBox = true
		q.box(a)
	default:
		return false
	}
	return true
}

// target reads STORE or STOREDIST. Of two keys behind the same word only the first is
// the command's by its key specifications, so there may not be two.
func (q *geoQuery) target(a *command.Args) bool {
	dist := false
	switch {
	case a.IsWith("STORE", 1):
	case a.IsWith("STOREDIST", 1):
		dist = true
	default:
		return false
	}
	if q.storeAt != nil && q.storeDist == dist && string(q.storeAt) != string(a.Peek()) {
		return false
	}
	q.storeAt, q.storeDist = a.Next(), dist
	return true
}

// check finds options that do not go together, or are missing.
func (q *geoQuery) check(c *command.Call) error {
	switch {
	case q.storeAt != nil && (q.withDist || q.withHash || q.withCoord):
		what := "STORE option in GEORADIUS"
		if q.store {
			what = "GEOSEARCHSTORE"
		}
		return command.Error("ERR " + what + " is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
	case q.search && !q.fromMember && !q.fromPlace:
		return command.Error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + c.Arg(0))
	case q.search && !q.byRadius && !q.byBox:
		return command.Error("ERR exactly one of BYRADIUS and BYBOX can be specified for " + c.Arg(0))
	case q.any && q.count == 0:
		return command.Error("ERR the ANY argument requires COUNT argument")
	}
	return nil
}

// found is a place that was asked for.
type found struct {
	member   []byte
	score    float64
	at       geo.Point
	distance float64 // metres from the centre
}

// places are those asked for, in the order asked for. The members are views of the
// sorted set.
func (q *geoQuery) places() []found {
	if q.z == nil {
		return nil
	}
	all := q.inShape()
	order := q.sort
	if order == 0 && q.count != 0 && !q.any {
		order = 1
	}
	most := len(all)
	if q.count != 0 {
		most = int(min(q.count, int64(most)))
	}
	if order != 0 {
		sortFirst(all, most, func(a, b found) int { return int(order) * cmp.Compare(a.distance, b.distance) })
	}
	return all[:most]
}

// inShape is the places in the shape: no more than were asked for if any will do.
func (q *geoQuery) inShape() (all []found) {
	var l zlist
	for _, r := range q.shape.Ranges() {
		last := q.z.Below(float64(r.Max), false)
		first := q.z.Below(float64(r.Min), false)
		if first >= last {
			continue
		}
		for m, score := range q.z.Ascend(first) {
			p := placeOf(score)
			if d, ok := q.shape.Contains(p); ok {
				l.add(m, score)
				all = append(all, found{l.items[len(l.items)-1].Member, score, p, d})
			}
			if q.any && int64(len(all)) >= q.count {
				return all
			}
			if first++; first == last {
				break
			}
		}
	}
	return all
}

// scored is the places as members of a sorted set.
func (q *geoQuery) scored() (items []zset.Item) {
	for _, p := range q.places() {
		if q.storeDist {
			p.score = p.distance / q.shape.Unit
		}
		items = append(items, zset.Item{Member: p.member, Score: p.score})
	}
	return items
}

// reply writes the places with what is to be told of each.
func (q *geoQuery) reply(out *resp.Writer) {
	parts := 1
	for _, with := range []bool{q.withDist, q.withHash, q.withCoord} {
		if with {
			parts++
		}
	}
	all := q.places()
	out.Array(len(all))
	for _, p := range all {
		if parts > 1 {
			out.Array(parts)
		}
		out.Bulk(p.member)
		if q.withDist {
			replyDistance(out, p.distance/q.shape.Unit)
		}
		if q.withHash {
			out.Int(int64(p.score))
		}
		if q.withCoord {
			replyPlace(out, p.at)
		}
	}
}
