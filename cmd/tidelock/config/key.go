package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// BlobDir is the folder of encrypted plans, states and logs.
func (c Config) BlobDir() string { return filepath.Join(c.DataDir, "blobs") }

// LoadEncryptionKey returns the key that blobs are encrypted with. Where its
// file does not exist it is made, with a new key and mode 0600; but not where
// blobs exist already: those were written with another key, and a new one
// would bury them (errs.Conflict). Two servers that start at once end up with
// the same key.
func LoadEncryptionKey(c Config) (redact.Secret, error) {
	if !c.EncryptionKey.Empty() {
		return c.EncryptionKey, nil
	}
	key, err := ReadEncryptionKey(c)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if entries, err := os.ReadDir(c.BlobDir()); err == nil && len(entries) > 0 {
		return redact.Secret{}, errs.New(errs.Conflict,
			"The encryption key %s is gone, but %s holds data that was encrypted with it. Put the key back from its backup; a new one could not read the data.", c.EncryptionKeyFile, c.BlobDir())
	}
	if err := makeEncryptionKey(c.EncryptionKeyFile); err != nil {
		return redact.Secret{}, fmt.Errorf("make the encryption key: %w", err)
	}
	return ReadEncryptionKey(c)
}

// FindEncryptionKey is LoadEncryptionKey for commands beside the server: they
// make no key (errs.NotFound).
func FindEncryptionKey(c Config) (redact.Secret, error) {
	if !c.EncryptionKey.Empty() {
		return c.EncryptionKey, nil
	}
	key, err := ReadEncryptionKey(c)
	if errors.Is(err, fs.ErrNotExist) {
		return key, errs.New(errs.NotFound, "There is no encryption key at %s: either no server has run here, or the key is lost.", c.EncryptionKeyFile)
	}
	return key, err
}

// ReadEncryptionKey reads the key's file: fs.ErrNotExist where there is none yet,
// errs.Invalid where it holds no key.
func ReadEncryptionKey(c Config) (redact.Secret, error) {
	data, err := os.ReadFile(c.EncryptionKeyFile)
	if err != nil {
		return redact.Secret{}, err
	}
	c.EncryptionKey = redact.NewSecret(strings.TrimSpace(string(data)))
	if wrong := checkEncryptionKey(&c); wrong != "" {
		return redact.Secret{}, errs.New(errs.Invalid, "The encryption key in %s %s", c.EncryptionKeyFile, wrong)
	}
	return c.EncryptionKey, nil
}

// makeEncryptionKey writes a new key to path unless one is there already. The
// file appears whole or not at all, and survives a crash once it is there.
func makeEncryptionKey(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key := make([]byte, 32)
	rand.Read(key)                                      // never fails: crypto/rand ends the program instead
	tmp, err := os.CreateTemp(dir, ".encryption-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in the folder survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ReadSecretFile returns what stands in a secret's file, without space around
// it; what is wrong, as a sentence; and what is doubtful.
func ReadSecretFile(path string) (text, problem, warning string) {
	const limit = 64 << 10
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return "", fmt.Sprintf("the file %s does not exist.", path), ""
	case err != nil:
		return "", fmt.Sprintf("the file can't be read: %v.", err), ""
	case !info.Mode().IsRegular():
		return "", fmt.Sprintf("%s is not a file.", path), ""
	case info.Size() > limit:
		return "", fmt.Sprintf("the file %s has %d bytes, far more than a secret.", path, info.Size()), ""
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Sprintf("the file can't be read: %v.", err), ""
	}
	if text = strings.TrimSpace(string(data)); text == "" {
		return "", fmt.Sprintf("the file %s is empty.", path), ""
	}
	if info.Mode().Perm()&0o007 != 0 {
		warning = fmt.Sprintf("everyone on this machine may read %s; mend it with: chmod o= %s", path, path)
	}
	return text, "", warning
}
