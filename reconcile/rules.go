package reconcile

// Rules says by which rules an account's messages become charges.
type Rules uint8

// The rules.
const (
	RulesConversation Rules = iota // R1 to R13, whatever the date
	RulesMeta                      // Meta's own rules by date, M1 to M14
)

func (r Rules) String() string { return [2]string{"conversation", "meta"}[r] }

// ParseRules reads the name of rules without regard to case.
func ParseRules(s string) (Rules, bool) {
	for r := RulesConversation; r <= RulesMeta; r++ {
		if enumEqual(s, r.String()) {
			return r, true
		}
	}
	return RulesConversation, false
}

// Basis is when an outbound message counts unless the account says otherwise.
func (r Rules) Basis() Basis {
	if r == RulesMeta {
		return BasisDelivered
	}
	return BasisSent
}

// The dates on which Meta's own rules change.
const (
	metaServiceFree Date = 20028 // 2024-11-01: service conversations cost nothing
	metaMessages    Date = 20270 // 2025-07-01: templates are charged one by one
	metaService     Date = 20727 // 2026-10-01: so are free-form messages
)

// Billed is the unit by which charges of a category are priced on d. ok is
// false where the category has no price of its own then: it is priced as
// another (R3), or is not charged.
func (r Rules) Billed(c Category, d Date) (u Unit, ok bool) {
	switch {
	case r == RulesConversation:
		return UnitConversation, c != AuthenticationInternational
	case d < metaServiceFree:
		return UnitConversation, true
	case d < metaMessages:
		return UnitConversation, c != Service
	}
	return UnitMessage, c != Service || d >= metaService
}

// Changes is the dates on which what Billed says changes, in their order.
func (r Rules) Changes() []Date {
	if r == RulesMeta {
		return []Date{metaServiceFree, metaMessages, metaService}
	}
	return nil
}
