package writer

import (
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/klauspost/compress/zstd"
)

// compressionLevel is zstd at its fastest, in the numbers of the zstd program.
const compressionLevel = 1

// init puts one encoder that is kept in the place of the library's own zstd
// codec at compressionLevel, which makes an encoder of 2 MB for every page:
// measured, that is more than half of the time of writing a day's charges. It
// must happen before any goroutine reads the library's table of codecs, and
// so here, which is also the place that the library names for it. Decoding
// and the other levels stay as they are.
func init() {
	original, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		panic(err)
	}
	encoder, err := newZstdEncoder()
	if err != nil {
		panic(err)
	}
	compress.RegisterCodec(compress.Codecs.Zstd, zstdCodec{Codec: original, encoder: encoder})
}

func newZstdEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithZeroFrames(true),
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(compressionLevel)))
}

// zstdCodec is safe for use by many goroutines.
type zstdCodec struct {
	compress.Codec
	encoder *zstd.Encoder
}

func (c zstdCodec) EncodeLevel(dst, src []byte, level int) []byte {
	if level != compressionLevel {
		return c.Codec.EncodeLevel(dst, src, level)
	}
	return c.encoder.EncodeAll(src, dst[:0])
}
