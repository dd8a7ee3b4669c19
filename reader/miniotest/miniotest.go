package miniotest

import (
	"crypto/rand"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Server is a running store.
type Server struct {
	Endpoint  string // URL
	AccessKey string
	SecretKey string
	Region    string

	external bool
	// hold is closed by the end of the test binary and by nothing before,
	// and that ends the server. It stands here to be out of the collector's
	// reach.
	hold io.Closer
}

// shared is the one server of a test binary.
var shared = sync.OnceValues(start)

// Start returns the store that all tests of the binary share.
func Start(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an S3 store; skipped under -short")
	}
	s, err := shared()
	if err != nil {
		t.Fatalf("start an S3 store: %v", err)
	}
	return s
}

func start() (*Server, error) {
	if endpoint := os.Getenv("WACONCILE_TEST_S3_ENDPOINT"); endpoint != "" {
		region := os.Getenv("AWS_REGION")
		if region == "" {
			region = "us-east-1"
		}
		return &Server{
			Endpoint: endpoint, Region: region, external: true,
			AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		}, nil
	}
	return startMinIO()
}

// Client returns a client of the store, with what cmd/waconcile sets for
// stores that are not AWS: path-style addresses, and checksums only where S3
// asks for them.
func (s *Server) Client(t testing.TB) *s3.Client {
	t.Helper()
	return s.ClientWith(t, s.AccessKey, s.SecretKey)
}

// ClientWith returns a client with other credentials.
func (s *Server) ClientWith(t testing.TB, accessKey, secretKey string) *s3.Client {
	t.Helper()
	return s3.New(s3.Options{
		BaseEndpoint:               &s.Endpoint,
		Region:                     s.Region,
		Credentials:                credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		UsePathStyle:               true,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

// Bucket makes an empty bucket that only the test at hand uses.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	client := s.Client(t)
	bucket := "waconcile-test-" + strings.ToLower(rand.Text())
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatalf("create bucket %s: %v", bucket, err)
	}
	if s.external {
		t.Cleanup(func() { s.empty(t, client, bucket) })
	}
	return bucket
}
