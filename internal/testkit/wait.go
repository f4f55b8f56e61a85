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
	deadline := time.Now().Add(Patience)
	for !holds() {
		if time.Now().After(deadline) {
			tb.Fatalf("waited %v in vain: %s", Patience, what)
		}
		time.Sleep(pollEvery)
	}
}
