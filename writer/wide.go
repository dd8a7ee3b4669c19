package writer

import (
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

// appendWide appends v, which fits 128 bits, in two's complement with the
// most significant byte first.
func appendWide(b []byte, v *big.Int) []byte {
	var buf [wideBytes]byte
	if v.Sign() >= 0 {
		v.FillBytes(buf[:])
		return append(b, buf[:]...)
	}
	// The complement of v is -v-1, whose bits are those of v turned over.
	new(big.Int).Not(v).FillBytes(buf[:])
	for i := range buf {
		buf[i] = ^buf[i]
	}
	return append(b, buf[:]...)
}

// parseWide is the inverse of appendWide, as an amount.
func parseWide(b string) (decimal.Decimal, error) {
	if len(b) != wideBytes {
		return decimal.Decimal{}, fmt.Errorf("an amount of %d bytes, want %d", len(b), wideBytes)
	}
	var buf [wideBytes]byte
	copy(buf[:], b)
	negative := buf[0]&0x80 != 0
	if negative {
		for i := range buf {
			buf[i] = ^buf[i]
		}
	}
	v := new(big.Int).SetBytes(buf[:])
	if negative {
		v.Not(v)
	}
	return decimal.NewFromBigInt(v, -scale), nil
}
