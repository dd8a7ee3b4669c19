package bench

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"

	"waconcile/cmd/waconcile/exportfile"

	"github.com/apache/arrow/go/v17/parquet"
)

// columnNames are the columns of the exports of a set, which are those that
// Decode reads.
func columnNames() []string {
	return []string{"message_id", "account_id", "business_number", "contact", "direction", "type", "category", "sent_at", "status"}
}

// values gives the values of an export's columns. It is only read.
type values struct {
	seed       uint64
	accounts   [businesses][]byte
	numbers    [businesses][]byte
	directions [whatCount][]byte
	types      [whatCount][]byte
	categories [whatCount][]byte
	statuses   [statusCount][]byte
	countries  [10]string
}

func newValues(seed uint64) *values {
	in, out, template := []byte("inbound"), []byte("outbound"), []byte("template")
	v := &values{
		seed:       seed,
		directions: [whatCount][]byte{in, in, out, out, out, out},
		types:      [whatCount][]byte{[]byte("text"), []byte("image"), []byte("free_form"), template, template, template},
		categories: [whatCount][]byte{marketing: []byte("marketing"), utility: []byte("utility"), authentication: []byte("authentication")},
		statuses:   [statusCount][]byte{[]byte("read"), []byte("delivered"), []byte("failed"), []byte("received")},
		countries:  [10]string{"49151", "5511", "9198", "1415", "34612", "39333", "39333", "39333", "39333", "39333"},
	}
	for b := range businesses {
		v.accounts[b] = []byte(accountName(b))
		v.numbers[b] = fmt.Appendf(nil, "3902%08d", 1_000_000+7*b)
	}
	return v
}

// columns are optional all of them, as most programs write them, even where no
// value is null.
func (v *values) columns() []exportfile.Column[row] {
	optional := parquet.Repetitions.Optional
	columns := []exportfile.Column[row]{
		{Plain: true, Text: v.appendID},
		{Word: func(r *row) []byte { return v.accounts[r.business] }},
		{Word: func(r *row) []byte { return v.numbers[r.business] }},
		{Text: v.appendContact},
		{Word: func(r *row) []byte { return v.directions[r.what] }},
		{Word: func(r *row) []byte { return v.types[r.what] }},
		{Word: func(r *row) []byte { return v.categories[r.what] }},
		{Plain: true, Stats: true, Time: func(r *row) (int64, bool) { return r.sent, true }},
		{Word: func(r *row) []byte { return v.statuses[r.status] }},
	}
	for i, name := range columnNames() {
		if columns[i].Time != nil {
			columns[i].Node = exportfile.TimeNode(name, optional)
		} else {
			columns[i].Node = exportfile.TextNode(name, optional)
		}
	}
	return columns
}

// appendID appends a message's id: 16 bytes drawn from its number.
func (v *values) appendID(b []byte, r *row) []byte {
	var id [16]byte
	chance := rand.NewPCG(v.seed, r.number)
	binary.BigEndian.PutUint64(id[:8], chance.Uint64())
	binary.BigEndian.PutUint64(id[8:], chance.Uint64())
	return hex.AppendEncode(append(b, "wamid."...), id[:])
}

// appendContact appends a phone number; half of the contacts are Italian.
func (v *values) appendContact(b []byte, r *row) []byte {
	b = append(b, v.countries[r.contact%10]...)
	return strconv.AppendUint(b, uint64(r.contact)+1_000_000, 10)
}
