package batch

import (
	"cmp"
	"container/heap"
	"iter"
	"math"
	"slices"
	"strings"

	"waconcile/batch/spill"
	"waconcile/reconcile"
	"waconcile/writer"
)

// finding is a finding with its texts.
type finding struct {
	kind      reconcile.FindingKind
	account   string
	business  string
	contact   string
	messageID string
	at        int64
	detail    string
}

// compareFindings looks at a text only where all before it are equal: there
// may be as many findings as messages.
func compareFindings(a, b finding) int {
	texts := [...][2]*string{
		{(*string)(&a.kind), (*string)(&b.kind)}, {&a.account, &b.account}, {&a.business, &b.business}, {&a.contact, &b.contact},
	}
	for _, t := range texts {
		if order := strings.Compare(*t[0], *t[1]); order != 0 {
			return order
		}
	}
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	return cmp.Or(strings.Compare(a.messageID, b.messageID), strings.Compare(a.detail, b.detail))
}

// findingList is the findings of a run in their order: in memory, or with
// several passes, and where they are too many for it, in a temporary file.
type findingList struct {
	most   int         // that may be in memory
	lists  [][]finding // each in order
	held   int         // findings in lists
	runs   *spill.Runs // nil: they are in memory
	counts map[reconcile.FindingKind]int64
}

// total is how many findings of all kinds there are.
func (l *findingList) total() int64 {
	var n int64
	for _, rows := range l.counts {
		n += rows
	}
	return n
}

// A finding takes findingBytes with its texts, while lists are merged, and all
// of them may take one part in findingPart of the memory.
const (
	findingBytes = 300
	findingPart  = 8
)

// findingsMax is how many findings memory allows; 0 is no limit of it.
func findingsMax(memory int64) int {
	if memory == 0 {
		return math.MaxInt
	}
	return int(memory / findingPart / findingBytes)
}

// newFindingList makes a list that keeps what memory allows.
func newFindingList(memory int64, spilled bool) *findingList {
	l := &findingList{most: findingsMax(memory), counts: make(map[reconcile.FindingKind]int64)}
	if spilled {
		l.spill()
	}
	return l
}

// spill has what is added from now on go to a file.
func (l *findingList) spill() {
	l.runs = &spill.Runs{
		File: spill.NewFile("waconcile-findings-*"), Columns: len(writer.FindingsSchema()),
		Compare: func(a, b spill.Row) int { return compareFindings(findingAt(a), findingAt(b)) },
	}
}

// findingAt is a row that findingsFrame made.
func findingAt(r spill.Row) finding {
	text := func(column int) string { return r.Frame.Columns[column].Text[r.Index] }
	return finding{
		kind: reconcile.FindingKind(text(0)), account: text(1), business: text(2), contact: text(3), messageID: text(4),
		at: r.Frame.Columns[5].Int[r.Index], detail: text(6),
	}
}

// add takes findings in any order, which belong to l from then on.
func (l *findingList) add(rows []finding) error {
	slices.SortFunc(rows, compareFindings)
	return l.addSorted(rows)
}

// addSorted takes findings that are in order, which belong to l from then on.
func (l *findingList) addSorted(rows []finding) error {
	for i := range rows {
		l.counts[rows[i].kind]++
	}
	if l.runs == nil && l.held+len(rows) <= l.most {
		l.lists, l.held = append(l.lists, rows), l.held+len(rows)
		return nil
	}
	if l.runs == nil {
		l.spill()
		for _, list := range l.lists {
			if err := l.addRun(list); err != nil {
				return err
			}
		}
		l.release()
	}
	return l.addRun(rows)
}

func (l *findingList) addRun(rows []finding) error {
	return l.runs.Add(writer.FramesOf(rows, findingsFrame))
}

// release lets go of the findings in memory.
func (l *findingList) release() { l.lists, l.held = nil, 0 }

// frames gives all findings in their order, once no more are added. What it
// returns may be read by many at once.
func (l *findingList) frames() iter.Seq2[writer.Frame, error] {
	if l.runs != nil {
		return l.runs.Merge()
	}
	l.lists = [][]finding{merged(l.lists)}
	return writer.FramesOf(l.lists[0], findingsFrame)
}

// merged brings lists together, each of which is in order.
func merged(lists [][]finding) []finding {
	var left findingHeads
	size := 0
	for _, list := range lists {
		if len(list) > 0 {
			left, size = append(left, list), size+len(list)
		}
	}
	if len(left) == 0 {
		return nil
	}
	if len(left) == 1 {
		return left[0]
	}
	out := make([]finding, 0, size)
	for heap.Init(&left); len(left) > 0; {
		out = append(out, left[0][0])
		if left[0] = left[0][1:]; len(left[0]) > 0 {
			heap.Fix(&left, 0)
		} else {
			heap.Pop(&left)
		}
	}
	return out
}

// findingHeads is a heap of lists by what each begins with.
type findingHeads [][]finding

func (h findingHeads) Len() int           { return len(h) }
func (h findingHeads) Less(i, k int) bool { return compareFindings(h[i][0], h[k][0]) < 0 }
func (h findingHeads) Swap(i, k int)      { h[i], h[k] = h[k], h[i] }
func (h *findingHeads) Push(x any)        { *h = append(*h, x.([]finding)) }
func (h *findingHeads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// first is the first n of them, or all.
func (l *findingList) first(n int) ([]finding, error) {
	var rows []finding
	for f, err := range l.frames() {
		if err != nil {
			return nil, err
		}
		for i := 0; i < f.Rows && len(rows) < n; i++ {
			rows = append(rows, findingAt(spill.Row{Frame: &f, Index: i}))
		}
		if len(rows) == n {
			break
		}
	}
	return rows, nil
}

// close gives the temporary file back.
func (l *findingList) close() error {
	if l.runs == nil {
		return nil
	}
	return l.runs.File.Close()
}
