package batch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"waconcile/reconcile"
)

// BenchmarkRoute takes blocks, as the reader makes them, to two shards whose
// blocks come back at once.
func BenchmarkRoute(b *testing.B) {
	route := benchRoute(b)
	b.ReportAllocs()
	for b.Loop() {
		route()
	}
	b.ReportMetric(benchBlock*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// TestRouteAllocatesNothing: once blocks have come back, no row of a block
// takes memory of its own.
func TestRouteAllocatesNothing(t *testing.T) {
	route := benchRoute(t)
	if n := testing.AllocsPerRun(50, route); n > benchBlock/1000 {
		t.Errorf("%v allocations for %d rows", n, benchBlock)
	}
}

// benchBlock is how many rows a block of the benchmark has.
const benchBlock = 8192

// benchRoute makes what routes a block, the same each time.
func benchRoute(tb testing.TB) func() {
	const contacts, businesses = 100_000, 40
	rng := rand.New(rand.NewPCG(1, 2))
	rows := &reconcile.Rows{}
	for range benchBlock {
		contact, _ := reconcile.PhoneContact(fmt.Appendf(nil, "39333%07d", rng.IntN(contacts)))
		rows.ID.Append(fmt.Appendf(nil, "wamid.%016x%016x", rng.Uint64(), rng.Uint64()))
		rows.Account, rows.Business = append(rows.Account, 1), append(rows.Business, reconcile.Name(2+rng.IntN(businesses)))
		rows.Contact = append(rows.Contact, contact)
		rows.Type, rows.Country = append(rows.Type, 1), append(rows.Country, 0)
		rows.Kind, rows.Category = append(rows.Kind, reconcile.Template), append(rows.Category, reconcile.Marketing)
		rows.Status, rows.SentAt = append(rows.Status, reconcile.Read), append(rows.SentAt, rng.Int64N(reconcile.DayMillis))
		rows.DeliveredAt, rows.ReadAt = append(rows.DeliveredAt, reconcile.NoTime), append(rows.ReadAt, reconcile.NoTime)
	}
	shards, free := benchShards(tb.Context(), 2)
	r := newRouter(everyone(), shards, free, plainWork(0))
	return func() {
		if err := r.route(tb.Context(), rows, func(int) bool { return true }); err != nil {
			tb.Fatal(err)
		}
	}
}

// benchShards are shards that give back what they are sent.
func benchShards(ctx context.Context, n int) (shards []*shard, free chan *reconcile.Packed) {
	free = make(chan *reconcile.Packed, freeBlocks)
	for range n {
		s := &shard{queue: make(chan work, shardQueue)}
		go func() {
			for {
				select {
				case w := <-s.queue:
					recycle(free, w.rows)
				case <-ctx.Done():
					return
				}
			}
		}()
		shards = append(shards, s)
	}
	return shards, free
}
