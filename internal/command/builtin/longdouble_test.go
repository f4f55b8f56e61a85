package builtin

import "testing"

// TestAddLongDoubles holds what redis 7.0.15 answers on amd64; the scripts and
// the random commands ask it again where there is one.
func TestAddLongDoubles(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"0.1", "0.2", "0.3"},
		{"3", "1.1", "4.1"},
		{"10.50", "0.1", "10.6"},
		{"5.0e3", "2.0e2", "5200"},
		{"1.5", "-1.5", "0"},
		{"-0", "-0", "0"},
		{"0", "1e-17", "0.00000000000000001"},
		{"0", "1e-18", "0"},
		{"0", "-1e-18", "0"},
		{"9223372036854775807", "1", "9223372036854775808"},
		{"18446744073709551615", "1", "18446744073709551616"},
		{"18446744073709551616", "1", "18446744073709551616"}, // beyond 64 bits of mantissa
		{"0x1p-2", "0xA.8P+2", "42.25"},
		{"1e-4950", "1", "1"},
	} {
		got, err := addLongDoubles([]byte(c.a), []byte(c.b))
		if err != nil || string(got) != c.want {
			t.Errorf("%s + %s = %s, %v; want %s", c.a, c.b, got, err, c.want)
		}
	}
	for _, text := range []string{
		"", " 1", "1 ", "nan", "1e", "0x", ".", "1_0", "1e5000", "1e-5000", "1e99999999999999999999", "1\x00", "0x1p16384", "0x1p-16446",
	} {
		if _, ok := parseLongDouble([]byte(text)); ok {
			t.Errorf("%q is a number", text)
		}
	}
}

func FuzzLongDouble(f *testing.F) {
	for _, text := range []string{"10.5", "-.5e-3", "0x1.8p-16445", "1e4932", "+inf", "00012", "18446744073709551615"} {
		f.Add(text, "1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		sum, err := addLongDoubles([]byte(a), []byte(b))
		if err != nil {
			return
		}
		if _, ok := parseLongDouble(sum); !ok {
			t.Fatalf("%q + %q = %s, which is no number", a, b, sum)
		}
		swapped, err := addLongDoubles([]byte(b), []byte(a))
		if err != nil || string(swapped) != string(sum) {
			t.Fatalf("%q + %q = %s, the other way round %s, %v", a, b, sum, swapped, err)
		}
	})
}
