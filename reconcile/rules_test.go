package reconcile

import (
	"slices"
	"testing"
)

// What Meta's own rules charge by date, from the table of the rules; and that
// the rules of the reseller do not care for dates.
func TestRulesBilled(t *testing.T) {
	t.Parallel()
	const none = "none"
	for _, c := range []struct {
		rules    Rules
		category Category
		on, want string
	}{
		{RulesConversation, Service, "2024-07-01", "conversation"},
		{RulesConversation, Service, "2027-01-01", "conversation"},
		{RulesConversation, Authentication, "2027-01-01", "conversation"},
		{RulesConversation, AuthenticationInternational, "2024-07-01", none}, // R3
		{RulesMeta, AuthenticationInternational, "2024-07-01", "conversation"},
		{RulesMeta, Service, "2024-10-31", "conversation"},
		{RulesMeta, Service, "2024-11-01", none},
		{RulesMeta, Utility, "2024-11-01", "conversation"},
		{RulesMeta, Utility, "2025-06-30", "conversation"},
		{RulesMeta, Utility, "2025-07-01", "message"},
		{RulesMeta, Service, "2026-09-30", none},
		{RulesMeta, Service, "2026-10-01", "message"},
		{RulesMeta, Marketing, "2026-10-01", "message"},
	} {
		got := none
		if u, ok := c.rules.Billed(c.category, date(t, c.on)); ok {
			got = u.String()
		}
		if got != c.want {
			t.Errorf("rules %v charge %v on %s by %s, want %s", c.rules, c.category, c.on, got, c.want)
		}
	}
}

// Changes names every date on which Billed changes, and no other.
func TestRulesChanges(t *testing.T) {
	t.Parallel()
	for rules := RulesConversation; rules <= RulesMeta; rules++ {
		var want []Date
		for d := date(t, "2023-01-01"); d < date(t, "2028-01-01"); d++ {
			for c := Authentication; c < CategoryCount; c++ {
				before, charged := rules.Billed(c, d-1)
				if now, ok := rules.Billed(c, d); (now != before || ok != charged) && (len(want) == 0 || want[len(want)-1] != d) {
					want = append(want, d)
				}
			}
		}
		if got := rules.Changes(); !slices.Equal(got, want) {
			t.Errorf("rules %v change on %v, want %v", rules, got, want)
		}
	}
}

func TestParseRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Rules{"conversation": RulesConversation, "Meta": RulesMeta} {
		if got, ok := ParseRules(text); !ok || got != want {
			t.Errorf("%q is %v, %v", text, got, ok)
		}
	}
	if _, ok := ParseRules("metas"); ok {
		t.Error("metas are taken for rules")
	}
	if RulesConversation.Basis() != BasisSent || RulesMeta.Basis() != BasisDelivered {
		t.Error("basis is not that of the rules")
	}
}
