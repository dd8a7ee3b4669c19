package batch

import (
	"slices"

	"waconcile/reconcile"
)

// heldFindings is the findings of a shard until the end of the pass, in chunks
// without pointers: there may be hundreds of thousands, and few kinds of them.
type heldFindings struct {
	chunks []*findingChunk
	abouts []findingAbout
	index  map[findingAbout]uint32 // into abouts
}

// findingAbout is what many findings have in common.
type findingAbout struct {
	kind   reconcile.FindingKind
	detail string
}

// heldFinding is a finding but for the texts.
type heldFinding struct {
	contact           reconcile.Contact
	at                int64
	account, business reconcile.Name
	about             uint32 // index into abouts
	idEnd             uint32 // in the chunk's ids; the id begins where the one before ends
}

type findingChunk struct {
	findings []heldFinding
	ids      []byte
}

// chunkFindings is how many findings a chunk holds, and chunkFindingIDs the
// room for their message ids at first.
const (
	chunkFindings   = 1 << 10
	chunkFindingIDs = 40 * chunkFindings
)

// add keeps a copy of a finding.
func (h *heldFindings) add(f *reconcile.Finding) {
	n := len(h.chunks)
	if n == 0 || len(h.chunks[n-1].findings) == chunkFindings {
		h.chunks = append(h.chunks, &findingChunk{
			findings: make([]heldFinding, 0, chunkFindings),
			ids:      make([]byte, 0, chunkFindingIDs),
		})
		n++
	}
	c := h.chunks[n-1]
	c.ids = append(c.ids, f.MessageID...)
	c.findings = append(c.findings, heldFinding{
		contact: f.Contact, at: f.At, account: f.Account, business: f.Business,
		about: h.aboutOf(findingAbout{f.Kind, f.Detail}), idEnd: uint32(len(c.ids)),
	})
}

func (h *heldFindings) aboutOf(a findingAbout) uint32 {
	i, known := h.index[a]
	if !known {
		if h.index == nil {
			h.index = make(map[findingAbout]uint32)
		}
		i = uint32(len(h.abouts))
		h.abouts = append(h.abouts, a)
		h.index[a] = i
	}
	return i
}

// len is the number of findings.
func (h *heldFindings) len() int {
	n := 0
	for _, c := range h.chunks {
		n += len(c.findings)
	}
	return n
}

// take gives n findings, or as many more as fill a chunk, and lets go of them.
func (h *heldFindings) take(n int) *heldFindings {
	chunks := h.chunks[:min((n+chunkFindings-1)/chunkFindings, len(h.chunks))]
	taken := &heldFindings{chunks: slices.Clone(chunks), abouts: h.abouts}
	clear(chunks) // h's memory would hold them all until it is gone itself
	h.chunks = h.chunks[len(chunks):]
	return taken
}
