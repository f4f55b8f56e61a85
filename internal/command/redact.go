package command

import "slices"

// redacted stands for a secret.
var redacted = []byte("(redacted)")

// Shown is argv as others may see it: argv itself, or a copy without the
// command's secrets.
func (s *Spec) Shown(argv [][]byte) [][]byte {
	if s.Hide == nil {
		return argv
	}
	shown := slices.Clone(argv)
	s.Hide(argv, func(i int) { shown[i] = redacted })
	return shown
}
