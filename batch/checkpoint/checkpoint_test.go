package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func day(t testing.TB, text string) reconcile.Date {
	t.Helper()
	d, err := reconcile.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func testHeader() Header {
	return Header{
		FormatVersion: FormatVersion, RulesVersion: "rules", Day: "2024-07-15", Since: "2024-07-01",
		Settings: Settings{Columns: map[string]string{"message_id": "id"}, IgnoreTypes: []string{"note"}, LateDays: 1, DeliveryDays: 30},
		Sent:     []string{"acme"}, Delivered: []string{"bolt"},
		First: "2024-07-12", Last: "2024-07-15",
		Objects: []Object{{"dt=2024-07-12/a.parquet", 10, "aa"}, {"dt=2024-07-15/a.parquet", 11, "bb"}},
		Earlier: []Earlier{{"2024-07-11", "cc"}},
	}
}

// drawState draws a state with handles of names, in parts as shards have it.
func drawState(rt *rapid.T, names *reader.Names, at reconcile.Date, parts int) []*reconcile.State {
	states := make([]*reconcile.State, parts)
	for i := range states {
		states[i] = &reconcile.State{At: at, Since: at - 14}
	}
	text := rapid.SampledFrom([]string{"", "a", "acme", "é", "tab\tand \"quote\"", "x,y"})
	instant := rapid.SampledFrom([]int64{reconcile.NoTime, 0, 1_720_000_000_000, at.Start() - 1})
	key := func() reconcile.PairKey {
		k := reconcile.PairKey{Account: names.InternString(text.Draw(rt, "account")), Business: names.InternString(text.Draw(rt, "business"))}
		digits := rapid.StringMatching(`[0-9]{3,17}`).Draw(rt, "contact")
		var phone bool
		if k.Contact, phone = reconcile.PhoneContact([]byte(digits)); !phone {
			k.Contact = reconcile.OpaqueContact(names.InternString(digits))
		}
		return k
	}
	for range rapid.IntRange(0, 30).Draw(rt, "things") {
		s := states[rapid.IntRange(0, parts-1).Draw(rt, "shard")]
		switch rapid.IntRange(0, 2).Draw(rt, "what") {
		case 0:
			p := reconcile.PairState{PairKey: key(), Inbound: instant.Draw(rt, "inbound"), Last: reconcile.Slot(rapid.IntRange(0, reconcile.SlotCount-1).Draw(rt, "last"))}
			for i := range p.Chains {
				p.Chains[i] = reconcile.Chain{Opened: instant.Draw(rt, "opened"), Quiet: rapid.Int64Range(0, 1<<42).Draw(rt, "quiet"), Proven: rapid.Bool().Draw(rt, "proven")}
			}
			s.Pairs = append(s.Pairs, p)
		case 1:
			s.Conversations = append(s.Conversations, reconcile.Conversation{
				PairKey: key(), Category: reconcile.Slot(rapid.IntRange(0, reconcile.SlotCount-1).Draw(rt, "category")).Category(),
				OpenedAt: rapid.Int64Range(0, 1<<42).Draw(rt, "opened"), OpenedBy: []byte(rapid.String().Draw(rt, "by")), Country: names.InternString(text.Draw(rt, "country")),
				Out: rapid.Int32().Draw(rt, "out"), In: rapid.Int32().Draw(rt, "in"), Proven: rapid.Bool().Draw(rt, "proven"),
			})
		default:
			s.Messages = append(s.Messages, reconcile.MessageState{
				PairKey: key(), ID: []byte(rapid.String().Draw(rt, "id")), Role: reconcile.MessageRole(rapid.IntRange(0, 3).Draw(rt, "role")),
				Type: names.InternString(text.Draw(rt, "type")), Country: names.InternString(text.Draw(rt, "country")),
				Kind: reconcile.Kind(rapid.IntRange(0, 3).Draw(rt, "kind")), Category: reconcile.Category(rapid.IntRange(0, reconcile.CategoryCount-1).Draw(rt, "category")),
				Status: reconcile.Status(rapid.IntRange(0, reconcile.StatusCount-1).Draw(rt, "status")),
				Sent:   rapid.Int64Range(0, 1<<42).Draw(rt, "sent"), Delivered: instant.Draw(rt, "delivered"), Read: instant.Draw(rt, "read"),
				LastSent: rapid.Int64Range(0, 1<<42).Draw(rt, "last sent"), WindowOpen: rapid.Bool().Draw(rt, "window"),
				Conflict: rapid.Bool().Draw(rt, "conflict"), BadTime: rapid.Bool().Draw(rt, "bad time"),
			})
		}
	}
	return states
}

// tell writes a state as sorted lines, by its texts.
func tell(states []*reconcile.State, names *reader.Names) []string {
	var lines []string
	pair := func(k reconcile.PairKey) string {
		return fmt.Sprintf("%q %q %q", names.Text(k.Account), names.Text(k.Business), names.ContactText(k.Contact))
	}
	for _, s := range states {
		for _, p := range s.Pairs {
			lines = append(lines, fmt.Sprint("pair ", pair(p.PairKey), p.Inbound, p.Last, p.Chains))
		}
		for _, c := range s.Conversations {
			lines = append(lines, fmt.Sprintf("conversation %s %v %d %q %q %d %d %t", pair(c.PairKey), c.Category, c.OpenedAt, c.OpenedBy, names.Text(c.Country), c.Out, c.In, c.Proven))
		}
		for _, m := range s.Messages {
			lines = append(lines, fmt.Sprintf("message %s %q %d %q %q %d %v %v %d %d %d %d %t %t %t", pair(m.PairKey), m.ID, m.Role, names.Text(m.Type), names.Text(m.Country),
				m.Kind, m.Category, m.Status, m.Sent, m.Delivered, m.Read, m.LastSent, m.WindowOpen, m.Conflict, m.BadTime))
		}
	}
	slices.Sort(lines)
	return lines
}

// A state is read as it was written, by a process with other handles; and its
// bytes do not follow from the shards that held it.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	at := day(t, "2024-07-15")
	rapid.Check(t, func(rt *rapid.T) {
		names, out := reader.NewNames(), &writertest.Mem{}
		states := drawState(rt, names, at, rapid.IntRange(1, 3).Draw(rt, "shards"))
		key, err := Write(t.Context(), out, testHeader(), states, names)
		if err != nil {
			rt.Fatal(err)
		}
		mixed := &reconcile.State{At: at}
		for _, s := range slices.Backward(states) {
			mixed.Pairs = append(mixed.Pairs, s.Pairs...)
			mixed.Conversations = append(mixed.Conversations, s.Conversations...)
			mixed.Messages = append(mixed.Messages, s.Messages...)
		}
		if again, err := Write(t.Context(), out, testHeader(), []*reconcile.State{mixed}, names); err != nil || again != key {
			rt.Fatalf("one shard wrote %s, %v; want %s", again, err, key)
		}
		h, err := ReadHeader(t.Context(), out, key)
		if err != nil {
			rt.Fatal(err)
		}
		others := reader.NewNames()
		others.InternString("something else")
		got, err := Read(t.Context(), out, key, h, others)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(tell(states, names), tell([]*reconcile.State{got}, others)); diff != "" {
			rt.Fatalf("state (-written +read):\n%s", diff)
		}
		if got.At != at || got.Since != at-14 || len(got.Accounts) != 2 || got.Accounts[1].Basis != reconcile.BasisDelivered {
			rt.Fatalf("read %v since %v with accounts %v", got.At, got.Since, got.Accounts)
		}
	})
}

// Every byte of a checkpoint matters: with any one changed, cut off or gone it
// cannot be used, and says so.
func TestDamage(t *testing.T) {
	t.Parallel()
	names, out := reader.NewNames(), &writertest.Mem{}
	var states []*reconcile.State
	rapid.Check(t, func(rt *rapid.T) { states = drawState(rt, names, day(t, "2024-07-15"), 1) })
	key, err := Write(t.Context(), out, testHeader(), states, names)
	if err != nil {
		t.Fatal(err)
	}
	whole := out.Objects()
	use := func(objects map[string][]byte) error {
		m := &writertest.Mem{}
		for _, k := range slices.Sorted(maps.Keys(objects)) {
			if err := m.Put(t.Context(), k, objects[k], writer.Condition{}); err != nil {
				t.Fatal(err)
			}
		}
		h, err := ReadHeader(t.Context(), m, key)
		if err == nil {
			_, err = Read(t.Context(), m, key, h, reader.NewNames())
		}
		return err
	}
	if err := use(whole); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, data := range whole {
		at := rng.IntN(len(data))
		flipped := bytes.Clone(data)
		flipped[at] ^= 1 << rng.IntN(8)
		for what, damaged := range map[string][]byte{"a bit flipped": flipped, "cut": data[:at], "longer": append(bytes.Clone(data), '\n'), "gone": nil} {
			objects := maps.Clone(whole)
			if objects[name] = damaged; damaged == nil {
				delete(objects, name)
			}
			if err := use(objects); !errors.Is(err, ErrUnusable) {
				t.Errorf("%s, %s at %d: %v, want it to match %v", name, what, at, err, ErrUnusable)
			}
		}
	}
}

// A checkpoint that is whole is not written again; one that has lost a file
// is; one that gc is removing is left to it.
func TestWriteAgain(t *testing.T) {
	t.Parallel()
	out, names := &writertest.Mem{}, reader.NewNames()
	write := func() (string, error) { return Write(t.Context(), out, testHeader(), nil, names) }
	key, err := write()
	if err != nil {
		t.Fatal(err)
	}
	first, before := out.Objects(), len(out.Trace())
	if again, err := write(); err != nil || again != key {
		t.Fatalf("wrote %s, %v; want %s", again, err, key)
	}
	if got := out.Trace()[before:]; !slices.Equal(got, []string{"list " + key}) {
		t.Errorf("a whole checkpoint was written again: %v", got)
	}
	if err := out.Remove(t.Context(), key+"pairs.parquet"); err != nil {
		t.Fatal(err)
	}
	if _, err := write(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, out.Objects()); diff != "" {
		t.Errorf("objects (-first +again):\n%s", diff)
	}
	stone := &writertest.Mem{}
	if err := stone.Put(t.Context(), key+headerName, []byte(`{"removed": true}`), writer.Condition{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), stone, testHeader(), nil, names); !errors.Is(err, ErrUnusable) {
		t.Errorf("a checkpoint that is being removed: %v, want it to match %v", err, ErrUnusable)
	}
}

// Only what has a header counts, the newest first.
func TestFind(t *testing.T) {
	t.Parallel()
	out, names := &writertest.Mem{}, reader.NewNames()
	var want []string
	for _, d := range []string{"2024-07-16", "2024-07-15", "2024-07-14", "2024-07-01"} {
		h := testHeader()
		h.Day, h.Last, h.Since = d, "2024-07-20", "2024-05-01"
		h.First, h.Objects, h.Earlier = "2024-06-01", nil, nil
		key, err := Write(t.Context(), out, h, nil, names)
		if err != nil {
			t.Fatal(err)
		}
		if d < "2024-07-16" && d > "2024-07-01" {
			want = append(want, key)
		}
	}
	half := Prefix + "2024-07-14/" + strings.Repeat("0", 64) + "/pairs.parquet"
	for _, key := range []string{half, Prefix + "2024-07-14/checkpoint.json", Prefix + "july/" + strings.Repeat("0", 64) + "/checkpoint.json"} {
		if err := out.Put(t.Context(), key, []byte("x"), writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Find(t.Context(), out, day(t, "2024-07-02"), day(t, "2024-07-15"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// A header that a run could not have written is refused.
func TestHeaderValidate(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Header){
		"another format":             func(h *Header) { h.FormatVersion++ },
		"no day":                     func(h *Header) { h.Day = "" },
		"a state of nothing":         func(h *Header) { h.Since = h.Day },
		"days after the state":       func(h *Header) { h.First = "2024-07-16" },
		"days that end before":       func(h *Header) { h.Last = "2024-07-13" },
		"objects out of order":       func(h *Header) { slices.Reverse(h.Objects) },
		"an earlier day that is not": func(h *Header) { h.Earlier[0].Day = h.First },
		"a day that is none":         func(h *Header) { h.Earlier[0].Day = "2024-02-30" },
		"a file too few":             func(h *Header) { h.Files = h.Files[1:] },
		"another file":               func(h *Header) { h.Files[0].Name = "other.parquet" },
	} {
		h := testHeader()
		for _, table := range tables() {
			h.Files = append(h.Files, writer.FileEntry{Name: table.file()})
		}
		if err := h.validate(); err != nil {
			t.Fatal(err)
		}
		if change(&h); h.validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What decode takes, it takes apart as it was put together.
func FuzzDecode(f *testing.F) {
	h := testHeader()
	for _, table := range tables() {
		h.Files = append(h.Files, writer.FileEntry{Name: table.file()})
	}
	data, err := h.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := decode(data)
		if err != nil {
			return
		}
		h.At()
		h.Days()
		again, err := h.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(again); err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
	})
}
