package reconcile_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "waconcile/reconcile"

	gocmp "github.com/google/go-cmp/cmp"
)

// A story is a text: what one pair did, and what must come of it. The grammar
// stands at the head of testdata/conversation.txt.
type story struct {
	name  string
	basis Basis
	rows  Rows
	want  []string
}

// storyStart is 2024-07-10T00:00:00Z, from which a story's times count.
const storyStart int64 = 1_720_569_600_000

func TestStories(t *testing.T) {
	t.Parallel()
	stories := readStories(t, "testdata/conversation.txt", "testdata/worked.txt", "testdata/found.txt")
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := s.play(t)
			if diff := gocmp.Diff(s.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

// play runs the story through an engine and writes what comes out as the
// story would.
func (s *story) play(t *testing.T) []string {
	t.Helper()
	sink := &recorder{}
	e, err := NewEngine(EngineConfig{
		Terms:        func(Name) *AccountTerms { return &AccountTerms{Zone: NewZone(time.UTC), Basis: s.basis} },
		Text:         func(n Name) string { return fmt.Sprint(n) },
		DeliveryDays: 30,
		Begins:       []Date{DateOf(storyStart) - 1},
		End:          storyStart + 100*DayMillis,
	}, sink)
	if err != nil {
		t.Fatal(err)
	}
	e.Add(Pack(&s.rows), DateOf(storyStart))
	checkTally(t, e.Finish())
	var out []string
	slices.SortFunc(sink.conversations, func(a, b Conversation) int {
		return cmp.Or(cmp.Compare(a.OpenedAt, b.OpenedAt), bytes.Compare(a.OpenedBy, b.OpenedBy))
	})
	for _, c := range sink.conversations {
		out = append(out, fmt.Sprintf("%s@%d by %s out %d in %d", c.Category, c.OpenedAt-storyStart, c.OpenedBy, c.Out, c.In))
	}
	for _, f := range sink.findings {
		if f.Kind == OutsideWindow {
			out = append(out, fmt.Sprintf("finding %s %s", f.Kind, f.MessageID))
		}
	}
	return out
}

// checkTally holds the identity that no message is lost.
func checkTally(t *testing.T, n Tally) {
	t.Helper()
	if n.Rows != n.Merged+n.Messages {
		t.Errorf("rows %d, merged %d + messages %d", n.Rows, n.Merged, n.Messages)
	}
	if sum := n.Inbound + n.Ignored + n.Failed + n.Undelivered + n.Joined + n.Opened + n.OutsideAlone + n.Ahead; sum != n.Messages {
		t.Errorf("messages %d, accounted for %d: %+v", n.Messages, sum, n)
	}
}

// recorder keeps what an engine makes.
type recorder struct {
	conversations []Conversation
	findings      []Finding
	sightings     map[uint64][]Date
}

func (r *recorder) Conversation(c *Conversation) {
	kept := *c
	kept.OpenedBy = bytes.Clone(c.OpenedBy)
	r.conversations = append(r.conversations, kept)
}

func (r *recorder) Finding(f *Finding) { r.findings = append(r.findings, *f) }
func (r *recorder) Messages(hashes []uint64, day Date) {
	if r.sightings == nil {
		r.sightings = make(map[uint64][]Date)
	}
	for _, hash := range hashes {
		r.sightings[hash] = append(r.sightings[hash], day)
	}
}

func readStories(t *testing.T, files ...string) []*story {
	t.Helper()
	var all []*story
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines, number := bufio.NewScanner(f), 0
		var s *story
		for outcome := false; lines.Scan(); {
			number++
			line := strings.TrimSpace(lines.Text())
			switch {
			case line == "" || strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, "case "):
				s, outcome = &story{name: strings.TrimPrefix(line, "case ")}, false
				all = append(all, s)
			case line == "basis delivered":
				s.basis = BasisDelivered
			case line == "=>":
				outcome = true
			case outcome:
				s.want = append(s.want, normalOutcome(t, line))
			default:
				if err := s.addLine(line); err != nil {
					t.Fatalf("%s:%d: %v", file, number, err)
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// normalOutcome writes the time of an outcome line in milliseconds.
func normalOutcome(t *testing.T, line string) string {
	t.Helper()
	head, rest, ok := strings.Cut(line, " ")
	category, at, isOpening := strings.Cut(head, "@")
	if !ok || !isOpening {
		return line
	}
	millis, err := storyTime(at)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s@%d %s", category, millis-storyStart, rest)
}

func storyTime(s string) (int64, error) {
	d, err := time.ParseDuration(s)
	return storyStart + d.Milliseconds(), err
}

// addLine reads a message line. An outbound message without a status is
// delivered.
func (s *story) addLine(line string) error {
	fields := strings.Fields(line)
	sent, err := storyTime(fields[0])
	if err != nil {
		return err
	}
	r := &s.rows
	id := fmt.Sprintf("m%d", r.Len()+1)
	kind, category, status := Template, NoCategory, Delivered
	switch fields[1] {
	case "inbound":
		kind, status = Inbound, NoStatus
	case "free":
		kind = FreeForm
	case "reaction":
		kind = Ignored
	default:
		var ok bool
		if category, ok = ParseCategory(fields[1]); !ok {
			return fmt.Errorf("what is %q", fields[1])
		}
	}
	delivered, read := NoTime, NoTime
	for _, f := range fields[2:] {
		key, value, named := strings.Cut(f, "=")
		switch {
		case !named:
			var ok bool
			if status, ok = ParseStatus(f); !ok {
				return fmt.Errorf("what is %q", f)
			}
		case key == "id":
			id = value
		case key == "delivered":
			delivered, err = storyTime(value)
		case key == "read":
			read, err = storyTime(value)
		default:
			return fmt.Errorf("what is %q", f)
		}
		if err != nil {
			return err
		}
	}
	r.ID.Append([]byte(id))
	r.Account, r.Business = append(r.Account, 1), append(r.Business, 2)
	contact, _ := PhoneContact([]byte("393331234567"))
	r.Contact = append(r.Contact, contact)
	r.Type, r.Country = append(r.Type, 0), append(r.Country, 0)
	r.Kind, r.Category, r.Status = append(r.Kind, kind), append(r.Category, category), append(r.Status, status)
	r.SentAt, r.DeliveredAt, r.ReadAt = append(r.SentAt, sent), append(r.DeliveredAt, delivered), append(r.ReadAt, read)
	return nil
}
