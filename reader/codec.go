package reader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/klauspost/compress/zstd"
)

// checkCodec refuses the compressions that cannot be read.
func checkCodec(c compress.Compression) error {
	switch c {
	case compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip,
		compress.Codecs.Brotli, compress.Codecs.Zstd:
		return nil
	}
	return fmt.Errorf("compression %s cannot be read", c)
}

var errLength = errors.New("compressed data of another length than declared")

// decompressor undoes the compression of pages. It never uses more memory
// than the page declares, whatever the compressed data claims.
type decompressor struct {
	zstd func() (*zstd.Decoder, error)
}

// newDecompressor makes a decompressor for one goroutine.
func newDecompressor() *decompressor {
	return &decompressor{zstd: sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
	})}
}

// decompress fills dst from src.
func (d *decompressor) decompress(codec compress.Compression, dst, src []byte) (err error) {
	var out []byte
	switch codec {
	case compress.Codecs.Zstd:
		decoder, err := d.zstd()
		if err != nil {
			return err
		}
		if out, err = decoder.DecodeAll(src, dst[:0:len(dst)]); err != nil {
			return err
		}
	case compress.Codecs.Snappy:
		// Its decoder makes room for whatever length the data claims.
		if claimed, n := binary.Uvarint(src); n <= 0 || claimed != uint64(len(dst)) {
			return errLength
		}
		fallthrough
	default:
		if out, err = decodeWith(codec, dst, src); err != nil {
			return err
		}
	}
	if len(out) != len(dst) || len(dst) > 0 && &out[0] != &dst[0] {
		return errLength
	}
	return nil
}

// decodeWith calls one of the library's codecs, which panic on damaged data.
func decodeWith(codec compress.Compression, dst, src []byte) (out []byte, err error) {
	c, err := compress.GetCodec(codec)
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decompress: %v", p)
		}
	}()
	return c.Decode(dst, src), nil
}
