package policy

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/bundle"

	"github.com/tidelock/tidelock/internal/errs"
)

// VerifyOptions say what signature a bundle must have.
type VerifyOptions struct {
	Key       string // public key in PEM, or a shared secret; "" checks no signature
	KeyID     string // that the signature must name; "" takes whichever it names
	Algorithm string // of the signature, which is not the signature's to choose
	Scope     string // that the signature must name
	Required  bool   // a bundle without a signature is refused
}

// Bundle is what a bundle holds.
type Bundle struct {
	Files    map[string][]byte // by path with slashes, the manifest and signatures too
	Revision string            // as its manifest says; "" where it says none
	Signed   bool              // by the key of the VerifyOptions
}

// SignatureError says that a bundle's signature is missing or wrong: somebody
// may have tampered with it.
type SignatureError struct{ err error }

// Error is the reason.
func (e *SignatureError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *SignatureError) Unwrap() error { return e.err }

// Bounds of a bundle: far above any policies that people write.
const (
	MaxBundle   = 16 << 20 // bytes of the archive
	maxUnpacked = 32 << 20
	maxEntries  = 5_000
	maxRatio    = 100     // of unpacked to packed bytes, above a slack
	ratioSlack  = 1 << 20 // bytes
)

const (
	bundleManifest = ".manifest"
	signaturesFile = ".signatures.json"
)

// OpenBundle reads an OPA bundle, a .tar.gz, and checks its signature. Nothing
// is written anywhere. What can't be a bundle is errs.Invalid, one over the
// bounds errs.TooLarge, and a wrong signature wraps a *SignatureError.
func OpenBundle(r io.Reader, o VerifyOptions) (Bundle, error) {
	packed, err := io.ReadAll(io.LimitReader(r, MaxBundle+1))
	if err != nil {
		return Bundle{}, fmt.Errorf("read bundle: %w", err)
	}
	if len(packed) > MaxBundle {
		return Bundle{}, errs.New(errs.TooLarge, "The bundle is larger than %d MB.", MaxBundle>>20)
	}
	files, err := untar(packed)
	if err != nil {
		return Bundle{}, err
	}
	return CheckBundle(files, o)
}

// CheckBundle is OpenBundle for files that are unpacked already.
func CheckBundle(files map[string][]byte, o VerifyOptions) (Bundle, error) {
	if err := CheckFiles(files); err != nil {
		return Bundle{}, err
	}
	b := Bundle{Files: files}
	if text, ok := files[bundleManifest]; ok {
		var m struct {
			Revision string `json:"revision"`
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return Bundle{}, errs.Wrap(errs.Invalid, err, "The bundle's .manifest can't be read.")
		}
		b.Revision = clean(m.Revision, 100)
	}
	if o.Key == "" && !o.Required {
		return b, nil
	}
	signed, err := verify(files, o)
	if err != nil {
		return Bundle{}, errs.Wrap(errs.Forbidden, &SignatureError{err}, "Its signature is not right: %v.", err)
	}
	b.Signed = signed
	return b, nil
}

// CheckFiles refuses files that are too many or too large for a pack.
func CheckFiles(files map[string][]byte) error {
	size := 0
	for name, content := range files {
		size += len(content)
		if !fs.ValidPath(name) {
			return errs.New(errs.Invalid, "The file %q would not stay in its folder.", name)
		}
	}
	if len(files) > maxEntries || size > maxUnpacked {
		return errs.New(errs.TooLarge, "There are more than %d files or %d MB of them.", maxEntries, maxUnpacked>>20)
	}
	return nil
}

// verify checks the signature over all files, as OPA does. It reports false for
// files without one, where that is allowed.
func verify(files map[string][]byte, o VerifyOptions) (bool, error) {
	text, ok := files[signaturesFile]
	if !ok {
		if o.Required {
			return false, errors.New("there is no " + signaturesFile)
		}
		return false, nil
	}
	var s bundle.SignaturesConfig
	if err := json.Unmarshal(text, &s); err != nil {
		return false, fmt.Errorf("%s can't be read: %w", signaturesFile, err)
	}
	if s.Plugin != "" && s.Plugin != defaultPlugin {
		return false, fmt.Errorf("%s asks for the plugin %q, and there is none", signaturesFile, clean(s.Plugin, 50))
	}
	key := &bundle.KeyConfig{Key: o.Key, Algorithm: o.Algorithm, Scope: o.Scope}
	id, err := keyNamed(s)
	if err != nil {
		return false, err
	}
	if o.KeyID != "" && id != o.KeyID {
		return false, fmt.Errorf("it names the key %q, and not %q", clean(id, 50), o.KeyID)
	}
	keys := map[string]*bundle.KeyConfig{id: key}
	want, err := bundle.VerifyBundleSignature(s, bundle.NewVerificationConfig(keys, id, o.Scope, nil))
	if err != nil {
		return false, err
	}
	for name, content := range files {
		if name == signaturesFile {
			continue
		}
		if alg := want[name].Algorithm; alg == bundle.MD5.String() || alg == bundle.SHA1.String() {
			return false, fmt.Errorf("%s is signed by its %s, which can be forged", name, alg)
		}
		if err := bundle.VerifyBundleFile(name, *bytes.NewBuffer(content), want); err != nil {
			return false, err
		}
	}
	for name := range want {
		return false, fmt.Errorf("the signature speaks of %q, which is not there", clean(name, 100))
	}
	return true, nil
}

// defaultPlugin is what OPA's own signatures name.
const defaultPlugin = "_default"

// defaultKeyID is what OPA's tools call a key to which nobody gave a name.
const defaultKeyID = "default"

// keyNamed returns the name of the key that a signature gives: there is one key
// here, so whatever it is called, that is the one that must fit.
func keyNamed(s bundle.SignaturesConfig) (string, error) {
	if len(s.Signatures) != 1 {
		return "", fmt.Errorf("%s holds %d signatures, and must hold one", signaturesFile, len(s.Signatures))
	}
	parts := strings.Split(s.Signatures[0], ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("%s holds no signature", signaturesFile)
	}
	var header struct {
		KeyID string `json:"kid"`
	}
	var claims struct {
		KeyID string `json:"keyid"`
	}
	for i, into := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return "", fmt.Errorf("%s holds a signature that can't be read: %w", signaturesFile, err)
		}
	}
	return cmp.Or(header.KeyID, claims.KeyID, defaultKeyID), nil
}

// untar unpacks an archive in memory, within the bounds.
func untar(packed []byte) (map[string][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "It is no OPA bundle: not a .tar.gz.")
	}
	most := min(int64(maxUnpacked), ratioSlack+int64(len(packed))*maxRatio)
	in := &io.LimitedReader{R: z, N: most + 1}
	tooLarge := func() error {
		return errs.New(errs.TooLarge, "The bundle unpacks to more than %d MB or %d times its size, or to more than %d files. It is not read.", maxUnpacked>>20, maxRatio, maxEntries)
	}
	files := map[string][]byte{}
	t := tar.NewReader(in)
	for entries := 0; ; entries++ {
		h, err := t.Next()
		switch {
		case in.N <= 0 || entries > maxEntries:
			return nil, tooLarge()
		case errors.Is(err, io.EOF):
			return files, nil
		case err != nil:
			return nil, errs.Wrap(errs.Invalid, err, "The bundle's archive is damaged.")
		}
		name := path.Clean(strings.TrimPrefix(h.Name, "/")) // OPA writes them from the root
		switch {
		case strings.ContainsFunc(h.Name, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }), !fs.ValidPath(name),
			slices.Contains(strings.Split(h.Name, "/"), ".."):
			return nil, errs.New(errs.Invalid, "The bundle's entry %q would not stay in its folder.", h.Name)
		case h.Typeflag == tar.TypeDir, h.Typeflag == tar.TypeXGlobalHeader:
			continue
		case h.Typeflag != tar.TypeReg || name == ".":
			return nil, errs.New(errs.Invalid, "The bundle's entry %q is neither a file nor a folder.", h.Name)
		}
		if _, twice := files[name]; twice {
			return nil, errs.New(errs.Invalid, "The bundle's entry %q is there twice.", h.Name)
		}
		if h.Size > most {
			return nil, tooLarge()
		}
		content, err := io.ReadAll(t)
		if in.N <= 0 {
			return nil, tooLarge()
		}
		if err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "The bundle's archive is damaged.")
		}
		files[name] = content
	}
}
