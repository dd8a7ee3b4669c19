package demo

import (
	"encoding/base64"
	"encoding/binary"

	"waconcile/cmd/waconcile/exportfile"
)

// fileRows is the rows of an export file, but for the last of a day.
const fileRows = 4 * exportfile.GroupRows

// exporter gives the values of an export's columns. It is only read.
type exporter struct {
	accounts []account
	words    words
	seed     uint64
}

func newExporter(accounts []account, seed uint64) *exporter {
	return &exporter{accounts: accounts, words: newWords(accounts), seed: scatter(seed)}
}

// appendID appends a message's id: 16 bytes that follow from its number, of
// which the first eight are a bijection, so that no two are the same.
func (e *exporter) appendID(b []byte, m *message) []byte {
	var id [16]byte
	h := scatter(m.number ^ e.seed)
	binary.BigEndian.PutUint64(id[:8], h)
	binary.BigEndian.PutUint64(id[8:], scatter(h))
	return base64.RawURLEncoding.AppendEncode(append(b, "wamid."...), id[:])
}
