package batch

import (
	"context"
	"slices"

	"waconcile/reconcile"
)

// router splits the rows of one decoding goroutine by contact and sends those
// of a share to the shards in blocks. Within a block, rows from one block of the
// reader are in the order of the parts in which a shard's engine keeps them.
type router struct {
	share  share // whose rows are taken
	shards []*shard
	free   chan *reconcile.Packed
	blocks []*reconcile.Packed // being filled, one a shard
	send   func(*reconcile.Packed) work

	// Of the block being routed.
	wanted  []uint32 // rows
	buckets []uint32 // of the wanted rows, by shard and part
	starts  []uint32 // where the rows of each bucket begin in order
	order   []uint32
}

// routedRows is how many rows a block for a shard holds, at most
// reconcile.PackedMax.
const routedRows = 4096

func newRouter(of share, shards []*shard, free chan *reconcile.Packed, send func(*reconcile.Packed) work) *router {
	return &router{
		share: of, shards: shards, free: free, blocks: make([]*reconcile.Packed, len(shards)), send: send,
		starts: make([]uint32, len(shards)*reconcile.PartCount+1),
	}
}

// plainWork and scatteredWork are what becomes of the rows of a partition.
func plainWork(partition reconcile.Date) func(*reconcile.Packed) work {
	return func(rows *reconcile.Packed) work { return work{rows: rows, partition: partition} }
}

func scatteredWork(partition reconcile.Date) func(*reconcile.Packed) work {
	return func(rows *reconcile.Packed) work { return work{scattered: rows, partition: partition} }
}

// route takes the rows of a block that are wanted, and in the share, to their
// shards.
func (r *router) route(ctx context.Context, rows *reconcile.Rows, wanted func(i int) bool) error {
	r.sort(rows, wanted)
	for s := range r.shards {
		left := r.order[r.starts[s*reconcile.PartCount]:r.starts[(s+1)*reconcile.PartCount]]
		for len(left) > 0 {
			if r.blocks[s] == nil {
				r.blocks[s] = r.emptyBlock()
			}
			n := min(len(left), routedRows-r.blocks[s].Len())
			r.blocks[s].Append(rows, left[:n])
			left = left[n:]
			if r.blocks[s].Len() < routedRows {
				continue
			}
			if err := r.flushShard(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// sort puts these rows in the order of their shards and parts, by
// counting.
func (r *router) sort(rows *reconcile.Rows, wanted func(i int) bool) {
	r.wanted, r.buckets = r.wanted[:0], r.buckets[:0]
	clear(r.starts)
	for i := range rows.Len() {
		shard, has := r.share.shardOf(rows.Contact[i], len(r.shards))
		if !has || !wanted(i) {
			continue
		}
		bucket := uint32(shard*reconcile.PartCount + rows.Pair(i).Part())
		r.wanted, r.buckets = append(r.wanted, uint32(i)), append(r.buckets, bucket)
		r.starts[bucket]++
	}
	end := uint32(0)
	for b, n := range r.starts {
		end += n
		r.starts[b] = end
	}
	r.order = slices.Grow(r.order[:0], len(r.wanted))[:len(r.wanted)]
	for k := len(r.wanted) - 1; k >= 0; k-- {
		b := r.buckets[k]
		r.starts[b]--
		r.order[r.starts[b]] = r.wanted[k]
	}
}

// flush sends what is left.
func (r *router) flush(ctx context.Context) error {
	for s := range r.blocks {
		if err := r.flushShard(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *router) flushShard(ctx context.Context, s int) error {
	block := r.blocks[s]
	if block == nil {
		return nil
	}
	r.blocks[s] = nil
	select {
	case r.shards[s].queue <- r.send(block):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *router) emptyBlock() *reconcile.Packed {
	select {
	case rows := <-r.free:
		return rows
	default:
		return reconcile.NewPacked(routedRows)
	}
}
