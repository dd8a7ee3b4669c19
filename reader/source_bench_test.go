package reader_test

import (
	"path/filepath"
	"testing"

	"waconcile/reader"
	"waconcile/reader/miniotest"
)

// BenchmarkSource reads 64 MiB as eight columns that take turns by 1 MiB, as
// a Parquet file is read.
func BenchmarkSource(b *testing.B) {
	const size, columns, step = 64 << 20, 8, 1 << 20
	data := randomBytes(1, size)
	run := func(b *testing.B, s reader.Source) {
		objects, err := s.List(b.Context(), "")
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, step)
		b.SetBytes(size)
		for b.Loop() {
			f, err := s.Open(b.Context(), objects[0])
			if err != nil {
				b.Fatal(err)
			}
			for at := int64(0); at < size/columns; at += step {
				for c := range int64(columns) {
					if _, err := f.ReadAt(buf, c*size/columns+at); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("dir", func(b *testing.B) {
		root := b.TempDir()
		writeFile(b, filepath.Join(root, "f"), data)
		run(b, newDir(b, root))
	})
	b.Run("s3", func(b *testing.B) {
		server := miniotest.Start(b)
		in := bucket{b, server.Client(b), server.Bucket(b)}
		in.put("f", data)
		run(b, newS3(b, in.client, in.name, "", reader.S3Options{}))
	})
}
