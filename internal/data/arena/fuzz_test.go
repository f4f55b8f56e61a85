package arena

import "testing"

// FuzzArena runs allocations, frees and compactions read from the input, and checks that no live object
// changes, which it would if two shared a byte.
func FuzzArena(f *testing.F) {
	f.Add([]byte{0, 1, 10, 0, 2, 200, 1, 0, 0, 2, 0, 0, 0, 255, 255})
	f.Add([]byte{0, 40, 0, 0, 41, 0, 0, 42, 0, 3, 1, 0, 1, 1, 0, 1, 0, 0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		a := newArena(t, Options{Limit: 64 << 20})
		var live []block
		for step := uint64(1); len(ops) >= 3; ops = ops[3:] {
			x, y := int(ops[1]), int(ops[2])
			switch ops[0] % 4 {
			case 0: // one of any size, up to some chunks
				n := 1 + x<<(y%16)
				h, err := a.Alloc(n)
				if err != nil {
					continue
				}
				step++
				b := block{h, n, step}
				b.fill(a)
				live = append(live, b)
			case 1:
				if len(live) > 0 {
					i := (x<<8 | y) % len(live)
					live[i].check(t, a)
					a.Free(live[i].h, live[i].n)
					live[i] = live[len(live)-1]
					live = live[:len(live)-1]
				}
			case 2:
				begun := a.BeginCompaction()
				for i := range live {
					if a.Sparse(live[i].h, live[i].n) {
						live[i] = live[i].move(t, a)
					}
				}
				if begun {
					a.EndCompaction()
				}
			default: // many of one size
				for range x {
					h, err := a.Alloc(8 * (y + 1))
					if err != nil {
						break
					}
					step++
					b := block{h, 8 * (y + 1), step}
					b.fill(a)
					live = append(live, b)
				}
			}
		}
		for _, b := range live {
			b.check(t, a)
			a.Free(b.h, b.n)
		}
		if a.InUse() != 0 {
			t.Fatalf("in use %d", a.InUse())
		}
		a.Close()
	})
}
