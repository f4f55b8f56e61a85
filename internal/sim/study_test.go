package sim

import (
	"context"
	"errors"
	"reflect"
	"testing"
)

func TestStudies(t *testing.T) {
	for _, a := range Accidents() {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			s := Study{Masters: 5, Replicas: 1, NodeTimeout: 2 * Second, Scenario: a.Name, Seeds: 3, Check: true}
			done := make(chan bool, 3)
			r, err := s.Run(context.Background(), func() { done <- true })
			if err != nil {
				t.Fatal(err)
			}
			want := 3
			if a.Name == "mass-failure" {
				want = 6
			}
			if r.Promote.N != want || r.Unserved != 0 || r.Broken != 0 || len(done) != 3 {
				t.Errorf("%+v", r)
			}
			if a.Name != "hand-over" && (r.Fail.Median < 2*Second || r.Promote.Median < r.Fail.Median || r.Serve.Worst < r.Promote.Worst) {
				t.Errorf("failed after %s, promoted after %s, served after %s", r.Fail.Median, r.Promote.Median, r.Serve.Worst)
			}
			if r.Packets < 1 || r.Bytes < 1000 {
				t.Errorf("%f packets, %f bytes per node and second", r.Packets, r.Bytes)
			}
			again, _ := s.Run(context.Background(), nil)
			if !reflect.DeepEqual(again.Outcomes, r.Outcomes) {
				t.Error("the same study has another outcome")
			}
		})
	}
}

func TestStudyRefuses(t *testing.T) {
	for _, s := range []Study{
		{Masters: 3, NodeTimeout: Second, Seeds: 1, Scenario: "flood"},
		{Masters: 0, NodeTimeout: Second, Seeds: 1, Scenario: "one-master"},
		{Masters: 3, NodeTimeout: 0, Seeds: 1, Scenario: "one-master"},
		{Masters: 3, NodeTimeout: Second, Seeds: 0, Scenario: "one-master"},
	} {
		if _, err := s.Run(context.Background(), nil); !errors.Is(err, ErrStudy) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := Study{Masters: 3, Replicas: 1, NodeTimeout: Second, Seeds: 1000000, Scenario: "one-master"}
	if _, err := s.Run(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestQuantilesOfFew(t *testing.T) {
	if q := quantiles([]Time{3, 1, 2}); q.Median != 2 || q.P99 != 3 || q.Worst != 3 {
		t.Errorf("%+v", q)
	}
	hundred := make([]Time, 100)
	for i := range hundred {
		hundred[i] = Time(i + 1)
	}
	if q := quantiles(hundred); q.Median != 50 || q.P99 != 99 || q.Worst != 100 {
		t.Errorf("%+v", q)
	}
}
