package bench

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRatiosArePairByPair: a round that was slow for both sides does not move
// the ratio.
func TestRatiosArePairByPair(t *testing.T) {
	t.Parallel()
	r := &runner{
		Options: Options{Runs: 3},
		chosen:  []side{{name: sideDecode, what: "bare decode"}, {name: sideJob, what: "the whole job"}},
		costs: map[string][]Cost{
			sideDecode: {{Wall: time.Second, Peak: 3}, {Wall: 10 * time.Second, Peak: 3}, {Wall: 2 * time.Second, Peak: 3}},
			sideJob:    {{Wall: 3 * time.Second, Peak: 600 << 20}, {Wall: 31 * time.Second, Peak: 300 << 20}, {Wall: 8 * time.Second, Peak: 400 << 20}},
		},
	}
	r.figures = figures()[:2]
	decode, memory := 3.2, float64(512<<20)
	want := []Figure{
		{
			Name: figureDecode, What: figures()[0].what, Measured: 3.1, Unit: Times, AtMost: &decode, Reached: true,
			Of:      Half{Side: sideJob, What: "the whole job", Median: 8, Unit: Seconds},
			Against: &Half{Side: sideDecode, What: "bare decode", Median: 2, Unit: Seconds},
		},
		{
			Name: figureMemory, What: figures()[1].what, Measured: 400 << 20, Unit: Bytes, AtMost: &memory, Reached: true,
			Of: Half{Side: sideJob, What: "the whole job", Median: 400 << 20, Unit: Bytes},
		},
	}
	if diff := cmp.Diff(want, r.result().Figures); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

func TestReached(t *testing.T) {
	t.Parallel()
	for _, f := range figures() {
		if !f.reached(f.bar) || f.reached(f.bar*0.9) == f.atLeast || f.reached(f.bar*1.1) != f.atLeast {
			t.Errorf("%s: the bar %v is on the wrong side", f.name, f.bar)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values Values
		want   float64
	}{{Values{7}, 7}, {Values{4, 1}, 2.5}, {Values{9, 1, 2}, 2}, {Values{4, 1, 9, 2}, 3}} {
		if got := tt.values.Median(); got != tt.want {
			t.Errorf("median of %v = %v, want %v", tt.values, got, tt.want)
		}
	}
}
