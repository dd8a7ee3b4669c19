package batch

import (
	"context"
	"fmt"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
)

// Files are decoded in all slots until there are charges to write. From then on
// those that end give none back, until as many are left as are meant to be.
func TestDecoderSlots(t *testing.T) {
	t.Parallel()
	const wide, narrow = 5, 2
	writes := make(chan struct{})
	slots := newDecoderSlots(wide, narrow, writes)
	free := func() (n int) {
		for len(slots.slots) < wide {
			if err := slots.take(t.Context()); err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := free(); n != wide {
		t.Errorf("%d slots at first, want %d", n, wide)
	}
	for range 3 {
		slots.give()
		if n := free(); n != 1 {
			t.Errorf("%d slots were given back of one", n)
		}
	}
	close(writes)
	for i := range wide {
		slots.give()
		want := 0
		if i >= wide-narrow {
			want = 1
		}
		if n := free(); n != want {
			t.Errorf("the %dth to end after that: %d slots are given back, want %d", i+1, n, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if slots.take(ctx) == nil {
		t.Error("nothing ends with its context")
	}
}

// The first charges are written when the second day after their billing date is
// folded, or at the end.
func TestWritesFrom(t *testing.T) {
	t.Parallel()
	const from = reconcile.Date(10)
	for _, tt := range []struct {
		days []reconcile.Date
		want int
	}{
		{[]reconcile.Date{7, 8, 9, 10, 11, 12, 13}, 5},
		{[]reconcile.Date{10, 11, 12}, 2},
		{[]reconcile.Date{9, 10, 13, 14}, 2},
		{[]reconcile.Date{9, 10, 11}, 2},
		{[]reconcile.Date{14}, 0},
	} {
		p := &Plan{Period: Period{From: from, To: from + 30}}
		for _, date := range tt.days {
			p.days = append(p.days, day{date: date})
		}
		if got := p.writesFrom(); got != tt.want {
			t.Errorf("days %v: day %d, want %d", tt.days, got, tt.want)
		}
	}
}

// All workers decode at first where that fits the memory in one pass.
func TestDecodersAtFirst(t *testing.T) {
	t.Parallel()
	const rows = 1 << 20                                                               // a day
	p := &Plan{in: &inputs{accounts: testAccountsOf(t)}, Missing: []reconcile.Date{1}} // no states
	var infos []reader.FileInfo
	for d := range 30 {
		p.days = append(p.days, day{date: reconcile.Date(d), files: make([]reader.Object, 1)})
		infos = append(infos, reader.FileInfo{Rows: rows})
	}
	const workers = 8
	job := func(memory int64) *Job { return &Job{Config: Config{Workers: workers, LateDays: 1, Memory: memory}} }
	least := func(decoding int) (memory int64) { // of one pass
		for p.need(job(0), infos, decoding).passes(memory+1) > 1 {
			memory += 1 << 20
		}
		return memory + 1
	}
	narrow, wide := least(decoders(workers)), least(workers)
	if more := wide - narrow; more < int64(workers-decoders(workers))*(decoderBytes+rows*rowBytes) {
		t.Errorf("%d decoders more take %d bytes more", workers-decoders(workers), more)
	}
	for _, tt := range []struct {
		memory int64
		of     share
		want   int
	}{
		{0, everyone(), workers}, {wide, everyone(), workers}, {wide - 1<<20, everyone(), decoders(workers)},
		{narrow, everyone(), decoders(workers)}, {wide, share{0, 2}, decoders(workers)}, {0, share{1, 2}, decoders(workers)},
	} {
		t.Run(fmt.Sprintf("memory=%d,shares=%d", tt.memory, tt.of.count), func(t *testing.T) {
			if got := p.decodersAtFirst(job(tt.memory), infos, tt.of); got != tt.want {
				t.Errorf("%d files at first, want %d", got, tt.want)
			}
		})
	}
}
