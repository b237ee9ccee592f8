package config

import (
	"github.com/tidelock/tidelock/internal/blob"
)

// Blobs says where plans, logs and large states are kept.
type Blobs struct {
	URL string // of a bucket; "" is the folder BlobDir
}

func checkBlobsURL(c *Config) string {
	if c.Blobs.URL == "" {
		return ""
	}
	return blob.CheckURL(c.Blobs.URL)
}
