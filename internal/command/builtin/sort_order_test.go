package builtin

import "testing"

// TestStrtod: the answers are those of glibc.
func TestStrtod(t *testing.T) {
	for text, ok := range map[string]bool{
		"": true, "0": true, " -0.000e-400": true, "0x0p-2000": true, "1e-300": true, "0x1p-1074": true,
		"1e400": false, "1e-400": false, "-1e-400": false, "0x1p-2000": false, "1e-310": false, "nan": false, "1_0": false, "1e": false,
	} {
		if _, got := strtod([]byte(text)); got != ok {
			t.Errorf("strtod(%q): %v", text, got)
		}
	}
}
