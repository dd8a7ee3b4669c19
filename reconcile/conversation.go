package reconcile

import "math/bits"

// PairKey names a pair.
type PairKey struct {
	Contact  Contact
	Account  Name
	Business Name
}

// Hash mixes a key. Handles differ from one process to the next, and so does
// the hash: it reaches nothing published.
func (k PairKey) Hash() uint64 {
	const m1, m2 = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	hi, lo := bits.Mul64(uint64(k.Contact)^m1, (uint64(k.Account)<<32|uint64(k.Business))^m2)
	hi, lo = bits.Mul64(hi^lo^uint64(k.Contact), m1)
	return hi ^ lo
}

// Conversation is one conversation with what was counted in it, as it is
// handed on once it has ended.
type Conversation struct {
	PairKey
	Category Category
	OpenedAt int64
	OpenedBy []byte // message id; valid as long as the Conversation
	Country  Name   // the export's country for the contact, of the opening message
	Out, In  int32  // messages counted, the opening one among Out
	Proven   bool   // the opening does not depend on what came before the data
}

// FindingKind says what was noticed.
type FindingKind string

// The kinds of findings that messages give.
const (
	OutsideWindow        FindingKind = "outside_window"        // R5
	ConflictingDuplicate FindingKind = "conflicting_duplicate" // contract, merging
	BadDeliveryTime      FindingKind = "bad_delivery_time"     // contract, merging
	LateRows             FindingKind = "late"                  // contract, which days are read; of an account and day
)

// Finding is something that a person should know of one message.
type Finding struct {
	Kind FindingKind
	PairKey
	MessageID string
	At        int64 // when the message was sent
	Detail    string
}

// Sink takes what an Engine makes, in the goroutine that drives the engine.
type Sink interface {
	// Conversation is called once for each conversation, when it has ended. c
	// is valid until the call returns.
	Conversation(c *Conversation)
	// Finding is called for each finding; f is valid until the call returns.
	Finding(f *Finding)
	// Messages is called with the hashes of pairs and ids of messages sent on a
	// day, of each once: if two days give the same hash, the same message may
	// have been taken for two. hashes is valid until the call returns.
	Messages(hashes []uint64, day Date)
}

// Tally counts what an Engine was given and what became of it. Every row, and
// everything carried, is in Merged, in Before or in one message, every message
// in one of the other counts.
type Tally struct {
	Rows         int64
	Carried      int64 // messages and early rows of the state started from
	Before       int64 // rows of messages that counted before that state
	Late         int64 // of those, rows that no run before can have seen
	Merged       int64 // rows beyond the first of a message
	Messages     int64
	Inbound      int64
	Ignored      int64
	Failed       int64
	Undelivered  int64
	Joined       int64 // outbound, OutsideJoined among them
	Opened       int64
	OutsideAlone int64
	Ahead        int64 // count at an instant beyond the data
}

// Add adds other to t.
func (t *Tally) Add(other *Tally) {
	t.Rows += other.Rows
	t.Carried += other.Carried
	t.Before += other.Before
	t.Late += other.Late
	t.Merged += other.Merged
	t.Messages += other.Messages
	t.Inbound += other.Inbound
	t.Ignored += other.Ignored
	t.Failed += other.Failed
	t.Undelivered += other.Undelivered
	t.Joined += other.Joined
	t.Opened += other.Opened
	t.OutsideAlone += other.OutsideAlone
	t.Ahead += other.Ahead
}
