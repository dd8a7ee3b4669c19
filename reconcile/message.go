package reconcile

import (
	"math"
	"strings"
)

// NoTime stands for an absent instant. Instants are milliseconds since
// 1970-01-01T00:00Z everywhere in this program.
const NoTime int64 = math.MinInt64

// EarliestSent is 2009-01-01T00:00Z: no message is older (contract, rejects).
const EarliestSent int64 = 1_230_768_000_000

// DayMillis is the length of a UTC day, and of a conversation and of the
// customer service window (R7): elapsed time, whatever the clocks do.
const DayMillis int64 = 86_400_000

// Kind says what a message is to the rules.
type Kind uint8

// The kinds.
const (
	Inbound  Kind = iota // from the contact
	Template             // outbound, made from an approved template
	FreeForm             // any other outbound message
	Ignored              // free-form of a type that never counts (R2): reaction, system, note
)

// Category is what a conversation is about, or what a template was approved
// for. The numeric order is the byte order of the names.
type Category uint8

// The categories. NoCategory is that of every message but a template.
const (
	NoCategory Category = iota
	Authentication
	AuthenticationInternational
	Marketing
	Service
	Utility
)

// CategoryCount is the number of Category values, for tables indexed by them.
const CategoryCount = 6

func (c Category) String() string {
	return [CategoryCount]string{"", "authentication", "authentication_international", "marketing", "service", "utility"}[c]
}

// ParseCategory reads a category's name without regard to case; a hyphen
// stands for an underscore.
func ParseCategory(s string) (Category, bool) {
	for c := Authentication; c < CategoryCount; c++ {
		if enumEqual(s, c.String()) {
			return c, true
		}
	}
	return NoCategory, false
}

// Conversation is the category of the conversation that a template of
// category c opens or joins: authentication_international is authentication
// here (R3).
func (c Category) Conversation() Category {
	if c == AuthenticationInternational {
		return Authentication
	}
	return c
}

// Rank is the place of a message among those of one instant (R1): inbound,
// then templates by category (marketing, utility, authentication), then
// free-form.
func Rank(k Kind, c Category) uint8 {
	switch k {
	case Inbound:
		return 0
	case Template:
		return [SlotCount]uint8{3, 1, 2}[slotOf(c)]
	}
	return 4
}

// Status is how far an outbound message came. The numeric order is that of
// merging: the larger wins.
type Status uint8

// The statuses. NoStatus is that of an inbound message, and of an outbound
// row without one.
const (
	NoStatus Status = iota
	Accepted
	Queued
	Sent
	Failed
	Delivered
	Read
	Played
)

// StatusCount is the number of Status values.
const StatusCount = 8

func (s Status) String() string {
	return [StatusCount]string{"", "accepted", "queued", "sent", "failed", "delivered", "read", "played"}[s]
}

// ParseStatus reads a status without regard to case.
func ParseStatus(text string) (Status, bool) {
	for s := Accepted; s < StatusCount; s++ {
		if enumEqual(text, s.String()) {
			return s, true
		}
	}
	return NoStatus, false
}

// enumEqual compares a value of an enumeration with its name: case is
// ignored and a hyphen stands for an underscore.
func enumEqual(value, name string) bool {
	if len(value) != len(name) {
		return false
	}
	return strings.EqualFold(strings.ReplaceAll(value, "-", "_"), name)
}
