package script

import "time"

// leash is the context of a VM's run. The VM asks it before each instruction whether it
// is to end, which makes it the place from which the script breathes.
//
// It implements context.Context.
type leash struct {
	vm    *VM
	steps uint32
	done  chan struct{} // nil while the script may go on: nothing can be received from it
}

// stride is how many instructions a script runs between two breaths, a power of two.
const stride = 512

// cutChannel is closed: what is received from it is that the script has to end.
func cutChannel() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// Done implements context.Context.
func (l *leash) Done() <-chan struct{} {
	if l.steps++; l.steps%stride == 0 {
		l.vm.breathe()
	}
	return l.done
}

// Err implements context.Context: the text that the VM raises.
func (l *leash) Err() error {
	if l.done == nil {
		return nil
	}
	return errKilled
}

// Deadline implements context.Context.
func (l *leash) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context.
func (l *leash) Value(any) any { return nil }

// AfterFunc keeps the context package from watching the leash by a goroutine when a
// coroutine is made: coroutines are given the leash itself.
func (l *leash) AfterFunc(func()) (stop func() bool) { return func() bool { return true } }
