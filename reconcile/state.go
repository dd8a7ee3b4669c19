package reconcile

// State is all that the messages which count from a midnight UTC on can depend
// on of what came before: an engine that starts from it makes what an engine
// makes that has read everything (contract, checkpoints). Its lists have no
// order.
type State struct {
	At    Date // everything that counts before 00:00 UTC of this day has been folded
	Since Date // the day from which on no day of the data is missing
	// Latest is the last partition of the rows it was made from, as far as they
	// are late or of messages with rows on several days; else MinDate.
	Latest   Date
	Accounts []AccountBasis // may name one several times
	Pairs    []PairState
	// Conversations are those still open, with their own memory.
	Conversations []Conversation
	Messages      []MessageState
}

// AccountBasis is an account that occurred, and the basis by which its
// messages were counted.
type AccountBasis struct {
	Account Name
	Basis   Basis
}

// PairState is a pair that something still depends on.
type PairState struct {
	PairKey
	Inbound int64 // the last inbound message, or NoTime
	Last    Slot  // the category that opened last
	Chains  [SlotCount]Chain
}

// Chain is what is known of one category's conversations of a pair.
type Chain struct {
	Opened int64 // when the last one opened, or NoTime
	Quiet  int64 // since when no message that bears on the chain has been seen
	Proven bool
}

// MessageRole says why a state holds a message.
type MessageRole uint8

// The roles.
const (
	// Waiting was sent before the state and counts after it.
	Waiting MessageRole = iota
	// NotDelivered was sent before the state, on basis delivered, and has not
	// arrived: a later row may say that it has.
	NotDelivered
	// Early is a row, not merged, that was sent after the state, as it claims,
	// and lay in a partition before it.
	Early
	// Settled has counted before the state, though a row of it claims to have
	// been sent after it.
	Settled
)

// MessageState is a message, or a row of one, that a state holds, with what
// merging needs.
type MessageState struct {
	PairKey
	ID              []byte
	Role            MessageRole
	Type, Country   Name
	Kind            Kind
	Category        Category
	Status          Status
	Sent            int64
	Delivered, Read int64 // or NoTime
	LastSent        int64 // the latest instant at which a row of it claims to have been sent
	WindowOpen      bool  // of a free-form message: the window was open when it was sent (R5)
	Conflict        bool  // its rows disagree
	BadTime         bool  // a delivery time of it was ignored
}

// Hash is the hash that Rows.Hash gives for the rows of the message.
func (m *MessageState) Hash() uint64 { return messageHash(m.ID, m.PairKey.Hash()) }

// Ahead tells whether rows of a message that is not Early may claim to have
// been sent at or after an instant.
func (m *MessageState) Ahead(at int64) bool { return m.Role != Early && m.LastSent >= at }

func (m *MessageState) message() message {
	return message{
		row: row{
			hash: m.Hash(), contact: m.Contact, account: m.Account, business: m.Business,
			sent: m.Sent, delivered: m.Delivered, read: m.Read, typ: m.Type, country: m.Country,
			kind: m.Kind, category: m.Category, status: m.Status, conflict: m.Conflict, badTime: m.BadTime,
		},
		id: m.ID, windowOpen: m.WindowOpen,
	}
}

func (m *message) state(role MessageRole, lastSent int64) MessageState {
	return MessageState{
		PairKey: PairKey{m.contact, m.account, m.business}, ID: m.id, Role: role,
		Type: m.typ, Country: m.country, Kind: m.kind, Category: m.category, Status: m.status,
		Sent: m.sent, Delivered: m.delivered, Read: m.read, LastSent: max(m.sent, lastSent),
		WindowOpen: m.windowOpen, Conflict: m.conflict, BadTime: m.badTime,
	}
}

func (p *Pair) state(key PairKey) PairState {
	s := PairState{PairKey: key, Inbound: p.inbound, Last: p.last}
	for i := range s.Chains {
		s.Chains[i] = Chain{Opened: p.opened[i], Quiet: p.quiet[i], Proven: p.Proven(Slot(i))}
	}
	return s
}

func (s *PairState) pair() Pair {
	p := Pair{inbound: s.Inbound, last: s.Last}
	for i, c := range s.Chains {
		p.opened[i], p.quiet[i] = c.Opened, c.Quiet
		if c.Proven {
			p.proven |= 1 << i
		}
	}
	return p
}
