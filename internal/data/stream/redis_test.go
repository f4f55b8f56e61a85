package stream

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// TestCoursesOfRedis repeats random courses of XADD, XDEL and XTRIM that redis 7.0.15 ran, and compares every answer and
// the blocks in its DUMP at the end.
func TestCoursesOfRedis(t *testing.T) {
	raw, err := os.ReadFile("testdata/redis7.json")
	if err != nil {
		t.Fatal(err)
	}
	var courses []struct {
		Ent, By int
		Ops     []struct {
			Op        string
			Ms, Seq   uint64
			F         []string
			M, N, Lim int
		}
		Blocks [][2]string
	}
	if err := json.Unmarshal(raw, &courses); err != nil {
		t.Fatal(err)
	}
	for c, course := range courses {
		s, opt := New(), Options{BlockBytes: course.By, BlockEntries: course.Ent}
		for i, o := range course.Ops {
			id, n := ID{o.Ms, o.Seq}, 0
			switch o.Op {
			case "add":
				var fields [][]byte
				for _, f := range o.F {
					fields = append(fields, []byte(f))
				}
				if err := s.Append(id, fields, opt); err != nil {
					t.Fatal(err)
				}
			case "del":
				if s.Delete(id) {
					n = 1
				}
			case "len":
				n = s.TrimLen(o.M, false, 0)
			case "id":
				n = s.TrimID(id, false, 0)
			case "alen":
				n = s.TrimLen(o.M, true, o.Lim)
			case "aid":
				n = s.TrimID(id, true, 0)
			}
			if n != o.N {
				t.Errorf("course %d, step %d: %+v says %d", c, i, o, n)
			}
		}
		i := 0
		for id, lp := range s.Blocks() {
			key, _ := id.AppendBinary(nil)
			if i < len(course.Blocks) && [2]string{hex.EncodeToString(key), hex.EncodeToString(lp)} != course.Blocks[i] {
				t.Errorf("course %d: block %d differs", c, i)
			}
			i++
		}
		if i != len(course.Blocks) {
			t.Errorf("course %d: %d blocks instead of %d", c, i, len(course.Blocks))
		}
	}
}
