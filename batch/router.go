package batch

import (
	"context"
	"math/bits"

	"waconcile/reconcile"
)

// router splits the rows of one decoding goroutine by contact and sends them
// to the shards in blocks.
type router struct {
	shards []*shard
	free   chan *reconcile.Rows
	blocks []*reconcile.Rows // being filled, one a shard
	send   func(*reconcile.Rows) work
}

// routedRows is how many rows a block for a shard holds.
const routedRows = 8192

func newRouter(shards []*shard, free chan *reconcile.Rows, send func(*reconcile.Rows) work) *router {
	return &router{shards: shards, free: free, blocks: make([]*reconcile.Rows, len(shards)), send: send}
}

// plainWork and scatteredWork are what becomes of the rows of a partition.
func plainWork(partition reconcile.Date) func(*reconcile.Rows) work {
	return func(rows *reconcile.Rows) work { return work{rows: rows, partition: partition} }
}

func scatteredWork(partition reconcile.Date) func(*reconcile.Rows) work {
	return func(rows *reconcile.Rows) work { return work{scattered: rows, partition: partition} }
}

// route takes row i of rows to its shard.
func (r *router) route(ctx context.Context, rows *reconcile.Rows, i int) error {
	s := shardOf(rows.Contact[i], len(r.shards))
	if r.blocks[s] == nil {
		r.blocks[s] = r.emptyBlock()
	}
	r.blocks[s].AppendRow(rows, i)
	if r.blocks[s].Len() < routedRows {
		return nil
	}
	return r.flushShard(ctx, s)
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

func (r *router) emptyBlock() *reconcile.Rows {
	select {
	case rows := <-r.free:
		return rows
	default:
		return &reconcile.Rows{}
	}
}

// shardOf spreads contacts over shards. Which shard a contact falls to has no
// bearing on any result.
func shardOf(c reconcile.Contact, shards int) int {
	return bucketOf(uint64(c)*0x9e3779b97f4a7c15, shards)
}

// bucketOf spreads hashes over n buckets by their upper bits.
func bucketOf(hash uint64, n int) int {
	bucket, _ := bits.Mul64(hash, uint64(n))
	return int(bucket)
}
