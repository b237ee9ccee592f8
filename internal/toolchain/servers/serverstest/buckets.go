package serverstest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // s3://

	"github.com/tidelock/tidelock/internal/toolchain/servers"
)

// The credentials of StartS3's server.
const (
	S3Access = "tidelock-test"
	S3Secret = "the-secret-of-the-test"
)

// S3 is a real S3 server with one bucket. Its credentials stand in the test's
// environment.
type S3 struct {
	Endpoint string // URL
	Bucket   string
}

// StartS3 starts a real S3 server; the test skips where there is none.
func StartS3(t *testing.T) *S3 {
	t.Helper()
	path, address, dir := find(t, servers.S3), FreeAddress(t), t.TempDir()
	s := &S3{"http://" + address, "blobs"}
	meta := filepath.Join(dir, "meta") // a file system need not have attributes of its own
	for _, d := range []string{filepath.Join(dir, "data", s.Bucket), meta} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	start(t, path, address, io.Discard, "--access", S3Access, "--secret", S3Secret, "--region", "us-east-1", "--port", address, "--quiet",
		"posix", "--sidecar", meta, filepath.Join(dir, "data"))
	t.Setenv("AWS_ACCESS_KEY_ID", S3Access)
	t.Setenv("AWS_SECRET_ACCESS_KEY", S3Secret)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return s
}

// URL is the bucket as blobs.url would name it.
func (s *S3) URL() string {
	return "s3://" + s.Bucket + "?region=us-east-1&endpoint=" + url.QueryEscape(s.Endpoint)
}

// Open opens the bucket past the code under test; the test's end closes it.
func (s *S3) Open(t *testing.T) *blob.Bucket {
	t.Helper()
	b, err := blob.OpenBucket(t.Context(), s.URL()+"&use_path_style=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// The account and its key that every Azurite has.
const (
	azureAccount = "devstoreaccount1"
	azureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// Azurite is Azure's blob storage with one container of the test's own. The
// account and its key stand in the test's environment.
type Azurite struct {
	address   string
	name      string
	Container *container.Client
}

// azurite is one for all tests of a process: it takes seconds to start. A shell
// ends it when this process does and the pipe breaks.
var azurite struct {
	sync.Mutex
	address string
	alive   io.Closer // the pipe
	count   int
}

func startAzurite(path, address string) (alive io.Closer, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", `"$@" </dev/null & server=$!; cat >/dev/null; kill -9 "$server"; rm -rf "$HOME"`, "sh",
		path, "--blobHost", host, "--blobPort", port, "--inMemoryPersistence", "--silent", "--skipApiVersionCheck")
	alive, err = cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "azurite-")
	if err != nil {
		return nil, err
	}
	if _, err = run(context.Background(), cmd, address, home, nil); err != nil {
		_ = alive.Close() // the shell then ends what it started; killed, it could not
	}
	return alive, err
}

// StartAzurite returns Azurite with a new container; the test skips where there
// is none.
func StartAzurite(t *testing.T) *Azurite {
	t.Helper()
	path := find(t, servers.Azurite)
	azurite.Lock()
	defer azurite.Unlock()
	if azurite.alive == nil {
		address := FreeAddress(t)
		alive, err := startAzurite(path, address)
		if err != nil {
			t.Fatal(err)
		}
		azurite.address, azurite.alive = address, alive
	}
	azurite.count++
	a := &Azurite{address: azurite.address, name: fmt.Sprintf("blobs-%d", azurite.count)}
	cred, err := azblob.NewSharedKeyCredential(azureAccount, azureKey)
	if err != nil {
		t.Fatal(err)
	}
	if a.Container, err = container.NewClientWithSharedKeyCredential("http://"+a.address+"/"+azureAccount+"/"+a.name, cred, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Container.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", azureAccount)
	t.Setenv("AZURE_STORAGE_KEY", azureKey)
	return a
}

// URL is the container as blobs.url would name it, where the account's key is
// the credential.
func (a *Azurite) URL() string {
	return "azblob://" + a.name + "?protocol=http&localemu=true&domain=" + a.address
}

// Shared returns the container's URL and the environment where a shared access
// signature is the credential: then the URL may not say where Azure is.
func (a *Azurite) Shared(signature string) (url string, environ []string) {
	return "azblob://" + a.name, []string{
		"AZURE_STORAGE_KEY=", "AZURE_STORAGE_SAS_TOKEN=" + signature,
		"AZURE_STORAGE_PROTOCOL=http", "AZURE_STORAGE_IS_LOCAL_EMULATOR=true", "AZURE_STORAGE_DOMAIN=" + a.address,
	}
}
