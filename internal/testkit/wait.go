package testkit

import (
	"testing"
	"time"
)

// Patience is how long anything may take before a test gives up. It is no measure of speed.
const Patience = 60 * time.Second

// pollEvery is the pause between two looks at a condition.
const pollEvery = 20 * time.Millisecond

// Eventually returns when the condition holds, and fails the test if it does not become true.
func Eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	if !Within(Patience, holds) {
		tb.Fatalf("waited %v in vain: %s", Patience, what)
	}
}

// Within waits until the condition holds, no longer than it is told to, and tells whether it does.
func Within(patience time.Duration, holds func() bool) bool {
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pollEvery)
	}
	return true
}
