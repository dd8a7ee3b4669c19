package reader

import (
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"waconcile/reconcile"
)

const (
	nameShards    = 64 // a power of two
	nameChunkBits = 10
	nameChunkLen  = 1 << nameChunkBits
)

// Names gives every text that occurs often one small handle, the same for all
// goroutines that decode. Handles are given out in the order of first asking,
// which follows the scheduling of goroutines: nothing published may follow
// from them. A Names only grows.
type Names struct {
	shards [nameShards]nameShard

	mu     sync.Mutex // guards adding to chunks
	count  atomic.Uint32
	chunks atomic.Pointer[[]*nameChunk]
}

type nameShard struct {
	mu      sync.RWMutex
	handles map[string]reconcile.Name
	_       [32]byte // keeps the locks of two shards out of one cache line
}

// A slot of a chunk is written once, before its handle is given out, so that
// whoever holds a handle reads its text without a lock.
type nameChunk [nameChunkLen]string

// NewNames makes a Names that knows the empty text, handle 0, only.
func NewNames() *Names {
	n := &Names{}
	for i := range n.shards {
		n.shards[i].handles = make(map[string]reconcile.Name)
	}
	n.chunks.Store(&[]*nameChunk{{}})
	n.count.Store(1)
	return n
}

// Intern is the handle of b, which is not kept.
func (n *Names) Intern(b []byte) reconcile.Name {
	if len(b) == 0 {
		return 0
	}
	s := &n.shards[xxhash.Sum64(b)&(nameShards-1)]
	s.mu.RLock()
	name, ok := s.handles[string(b)]
	s.mu.RUnlock()
	if ok {
		return name
	}
	return n.intern(s, string(b))
}

// InternString is the handle of text.
func (n *Names) InternString(text string) reconcile.Name {
	if text == "" {
		return 0
	}
	return n.intern(&n.shards[xxhash.Sum64String(text)&(nameShards-1)], text)
}

func (n *Names) intern(s *nameShard, text string) reconcile.Name {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, ok := s.handles[text]; ok {
		return name
	}
	name := n.add(text)
	s.handles[text] = name
	return name
}

func (n *Names) add(text string) reconcile.Name {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := n.count.Load()
	chunks := *n.chunks.Load()
	if int(name>>nameChunkBits) == len(chunks) {
		grown := make([]*nameChunk, len(chunks)+1)
		copy(grown, chunks)
		grown[len(chunks)] = new(nameChunk)
		chunks = grown
		n.chunks.Store(&grown)
	}
	chunks[name>>nameChunkBits][name&(nameChunkLen-1)] = text
	n.count.Store(name + 1)
	return reconcile.Name(name)
}

// Text is the text of a handle that this Names gave out.
func (n *Names) Text(name reconcile.Name) string {
	return (*n.chunks.Load())[name>>nameChunkBits][name&(nameChunkLen-1)]
}

// Len is the number of handles given out, that of the empty text included.
func (n *Names) Len() int { return int(n.count.Load()) }

// AppendContact appends the text of a contact whose handle, if it is opaque,
// this Names gave out.
func (n *Names) AppendContact(b []byte, c reconcile.Contact) []byte {
	if name, opaque := c.Opaque(); opaque {
		return append(b, n.Text(name)...)
	}
	return c.AppendDigits(b)
}

// ContactText is that text.
func (n *Names) ContactText(c reconcile.Contact) string { return string(n.AppendContact(nil, c)) }
