package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// s3File reads one object by ranges that start at multiples of RangeBytes,
// each fetched whole by a goroutine of its own and kept while it is of use.
//
// Parquet is read as several column streams that take turns, each in small
// steps. A read therefore also asks for the ranges that follow the one it
// fell into, as many as the streams that are active can share, so that no
// stream waits for a round trip at each step. See rangeCache for what is kept.
//
// The end of the object is fetched apart, once, and kept: the footer lies
// there, far from the first columns.
type s3File struct {
	source *S3
	object Object
	key    string // full
	ctx    context.Context
	cancel context.CancelFunc
	slots  chan struct{} // one for each GET in flight
	wg     sync.WaitGroup

	mu      sync.Mutex // guards what follows, and the fields of blocks that say so
	cache   rangeCache
	streams streams
	tail    *block
	changed bool
	closed  bool
}

func newS3File(ctx context.Context, s *S3, o Object) *s3File {
	f := &s3File{source: s, object: o, key: s.fullKey(o.Key)}
	f.ctx, f.cancel = context.WithCancel(ctx)
	f.slots = make(chan struct{}, s.options.InFlight)
	f.cache = rangeCache{limit: int(s.options.CacheBytes / s.options.RangeBytes), blocks: map[int64]*block{}, seen: map[int64]bool{}}
	return f
}

func (f *s3File) Size() int64 { return f.object.Size }

// ReadAt implements io.ReaderAt.
func (f *s3File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: negative offset %d", f.source.url(f.key), off)
	}
	want := int(min(int64(len(p)), max(f.object.Size-off, 0)))
	end := off + int64(want)
	depth := f.noteRead(off, end)
	for n := 0; n < want; {
		at, unit := off+int64(n), f.source.options.RangeBytes
		// What this read itself will come to is wanted in any case.
		b, err := f.acquire(at, max(depth, int((end-1)/unit-at/unit)))
		if err != nil {
			return n, f.failure(err)
		}
		n += copy(p[n:want], b.data[at-b.off:])
		f.release(b, off+int64(n))
	}
	if want < len(p) {
		return want, io.EOF
	}
	return want, nil
}

// noteRead returns how many ranges ahead a read may ask for: as many as it can
// have while the other streams have theirs. The first read of a stream says
// little about the next, and gets one while there is plenty of room.
func (f *s3File) noteRead(off, end int64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cache.clock++
	goesOn := f.streams.note(off, end, f.cache.clock)
	f.cache.places = f.streams.places(f.source.options.RangeBytes, f.cache.clock)
	room := f.cache.room()
	switch {
	case goesOn:
		return min(max(room/f.cache.places, 1), f.source.options.InFlight)
	case room > f.cache.limit/2:
		return 1
	}
	return 0
}

// acquire returns the block that holds off, fetched. The caller releases it.
func (f *s3File) acquire(off int64, depth int) (*block, error) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil, os.ErrClosed
	}
	b := f.blockAt(off, depth)
	b.users++
	f.mu.Unlock()

	var err error
	select {
	case <-b.done:
		err = b.err
	case <-f.ctx.Done():
		err = f.ctx.Err()
	}
	if err != nil {
		f.release(b, off)
		return nil, err
	}
	return b, nil
}

// blockAt finds or starts the block that holds off, and what lies ahead of
// it. f.mu is held.
func (f *s3File) blockAt(off int64, depth int) *block {
	size, unit := f.object.Size, f.source.options.RangeBytes
	if tail := size - f.source.options.TailBytes; off >= tail && size > unit {
		if f.tail == nil {
			f.tail = f.start(-1, max(tail, 0), size)
		}
		return f.tail
	}
	i := off / unit
	b := f.cache.blocks[i]
	if b == nil {
		f.reuse(f.cache.makeRoom(true))
		b = f.startRange(i)
	}
	b.used, b.read = f.cache.clock, true
	for next := i + 1; next <= i+int64(depth) && next*unit < size; next++ {
		if f.cache.blocks[next] != nil {
			continue
		}
		if f.cache.seen[next] || f.cache.inFlight >= f.source.options.InFlight || f.cache.room() <= 0 {
			break
		}
		f.reuse(f.cache.makeRoom(false))
		f.startRange(next).used = f.cache.clock
	}
	return b
}

func (f *s3File) startRange(i int64) *block {
	unit := f.source.options.RangeBytes
	b := f.start(i, i*unit, min((i+1)*unit, f.object.Size))
	f.cache.blocks[i] = b
	f.cache.seen[i] = true
	return b
}

// start fetches [off, end) in a goroutine that ends at Close at the latest.
// f.mu is held.
func (f *s3File) start(i, off, end int64) *block {
	b := &block{index: i, off: off, data: f.source.buffer(end - off), done: make(chan struct{})}
	f.cache.inFlight++
	f.wg.Go(func() {
		var err error
		select {
		case f.slots <- struct{}{}:
			err = f.fetch(b)
			<-f.slots
		case <-f.ctx.Done():
			err = f.ctx.Err()
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.cache.inFlight--
		b.err, b.ready = err, true
		if err != nil {
			f.forget(b)
		}
		f.changed = f.changed || errors.Is(err, ErrChanged)
		close(b.done)
	})
	return b
}

// forget lets a later read try a failed block again.
func (f *s3File) forget(b *block) {
	if f.tail == b {
		f.tail = nil
	}
	if f.cache.blocks[b.index] == b {
		delete(f.cache.blocks, b.index)
		delete(f.cache.seen, b.index)
	}
}

// release gives back a block of which its reader has taken what lies before
// end.
func (f *s3File) release(b *block, end int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.users--
	if end == b.off+int64(len(b.data)) {
		b.spent = true
	}
}

// reuse keeps the buffer of a block that left the cache. f.mu is held.
func (f *s3File) reuse(b *block) {
	if b == nil || b.users > 0 || !b.ready || int64(cap(b.data)) < f.source.options.RangeBytes {
		return
	}
	data := b.data
	b.data = nil
	f.source.buffers.Put(&data)
}

// buffer returns n bytes, n at most RangeBytes. Those of whole ranges are used
// again; the end of an object and small objects have their own.
func (s *S3) buffer(n int64) []byte {
	if n < s.options.RangeBytes {
		return make([]byte, n)
	}
	if p, ok := s.buffers.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, n)
}

func (f *s3File) failure(err error) error {
	where := f.source.url(f.key)
	f.mu.Lock()
	closed := f.closed
	f.mu.Unlock()
	if closed {
		return fmt.Errorf("read %s: %w", where, os.ErrClosed)
	}
	return storeFailure(f.ctx, "read", where, err)
}

// Close waits for the goroutines of the file. An object that was replaced
// after its last range had come is not a change: what was read is what was
// listed.
func (f *s3File) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.wg.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, b := range f.cache.blocks {
		f.reuse(b)
		delete(f.cache.blocks, i)
	}
	f.tail = nil
	if f.changed {
		return &storeError{verb: "read", where: f.source.url(f.key), err: ErrChanged}
	}
	return nil
}
