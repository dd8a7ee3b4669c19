package demo

import "strings"

// story is the kind of an exchange.
type story uint8

const (
	campaign story = iota
	support
	password
	order
	storyCount
)

// account is one business that sends. Invoices are made for two of them.
type account struct {
	id      string
	terms   terms
	numbers []string // as the exports write them
	share   uint64   // of the stories, in thousandths
	stories [storyCount]uint64
	mix     []origin
	utc     int64 // milliseconds east of UTC in July 2024, where no clock changes
	invoice invoiceKind

	plusForm  bool // contacts are written with a leading "+"
	country   bool // contact_country is filled for every contact
	stateless bool // some opaque contacts have no country
}

// terms is what the accounts file says; an account without a name has no row
// in it.
type terms struct{ name, plan, basis, zone, vat string }

// origin is a share of an account's contacts.
type origin struct {
	prefix  string // of the number, a national part of digits follows
	digits  int
	country string
	weight  uint64
}

const hour = int64(3_600_000)

// accounts are the businesses of the demo. One small account pays for what was
// delivered, the others for what was sent. The last one is in nobody's list, as
// the number that a team once tried things with.
func accounts() []account {
	return []account{
		{
			id: "bottega-rosa", terms: terms{"Bottega Rosa", "recharge-medium", "sent", "Europe/Rome", "0.22"},
			numbers: []string{"390287150011", "+39 02 8715 0012"}, share: 340,
			stories: [storyCount]uint64{40, 30, 8, 22}, utc: 2 * hour, invoice: invoiceRight,
			mix: []origin{
				{"39333", 7, "IT", 560}, {"39347", 7, "IT", 300}, {"34612", 6, "ES", 40}, {"33612", 6, "FR", 40},
				{"49151", 8, "DE", 30}, {"41791", 6, "CH", 20}, {"44770", 7, "GB", 10},
			},
		},
		{
			id: "mercado-azul", terms: terms{"Mercado Azul", "recharge-large", "sent", "America/Sao_Paulo", "0"},
			numbers: []string{"551140028922", "5511400289230", "552120031188"}, share: 225,
			stories: [storyCount]uint64{38, 34, 6, 22}, utc: -3 * hour, country: true, stateless: true,
			mix: []origin{
				{"551198", 7, "BR", 600}, {"552199", 7, "BR", 240}, {"54911", 8, "AR", 60}, {"569", 8, "CL", 40},
				{"57310", 7, "CO", 30}, {"351912", 6, "PT", 20}, {"595981", 6, "PY", 10},
			},
		},
		{
			id: "chai-express", terms: terms{"Chai Express", "list-usd", "sent", "Asia/Kolkata", "0.18"},
			numbers: []string{"918045678900", "912261234567"}, share: 240,
			stories: [storyCount]uint64{20, 26, 34, 20}, utc: 5*hour + hour/2, stateless: true,
			mix: []origin{
				{"9198", 8, "IN", 700}, {"9199", 8, "IN", 200}, {"97150", 7, "AE", 30}, {"6591", 6, "SG", 25},
				{"96650", 7, "SA", 15}, {"94771", 6, "LK", 15}, {"8801712", 6, "BD", 15},
			},
		},
		{
			id: "hudson-outfitters", terms: terms{"Hudson Outfitters", "list-usd", "sent", "America/New_York", "0"},
			numbers: []string{"12125550142"}, share: 140,
			stories: [storyCount]uint64{36, 24, 14, 26}, utc: -4 * hour, invoice: invoiceWrong, plusForm: true,
			mix: []origin{
				{"1917", 7, "US", 430}, {"1415", 7, "US", 240}, {"1416", 7, "CA", 100}, {"52155", 8, "MX", 110},
				{"44770", 7, "GB", 70}, {"972501", 6, "IL", 30}, {"27820", 6, "ZA", 20},
			},
		},
		{
			id: "nordlicht-apotheke", terms: terms{"Nordlicht Apotheke", "recharge-small", "delivered", "Europe/Berlin", "0.19"},
			numbers: []string{"493012345678"}, share: 52,
			stories: [storyCount]uint64{10, 45, 10, 35}, utc: 2 * hour, country: true,
			mix: []origin{
				{"49151", 8, "DE", 900}, {"43664", 7, "AT", 60}, {"48601", 6, "PL", 40},
			},
		},
		{
			id: "sandbox-7", numbers: []string{"390287159999"}, share: 3,
			stories: [storyCount]uint64{30, 40, 10, 20}, utc: 2 * hour,
			mix: []origin{{"39333", 7, "IT", 1}},
		},
	}
}

// accountsCSV is the accounts file.
func accountsCSV(accounts []account) string {
	text := "account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to\n"
	for _, a := range accounts {
		if t := a.terms; t.name != "" {
			text += strings.Join([]string{a.id, t.name, t.plan, "conversation", t.basis, t.zone, t.vat, "", "", ""}, ",") + "\n"
		}
	}
	return text
}
