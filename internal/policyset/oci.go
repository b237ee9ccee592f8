package policyset

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// parseReference reads HOST/NAME:TAG or HOST/NAME@DIGEST.
func parseReference(text string) (registry.Reference, error) {
	ref, err := registry.ParseReference(text)
	if err == nil && ref.Reference == "" {
		err = errors.New("it names no tag and no digest")
	}
	return ref, err
}

// maxManifest is the most that is read of a manifest, in bytes.
const maxManifest = 1 << 20

// The media types of a pack's layers: conftest has a layer for each file, named
// by its title; an OPA bundle is one layer with the archive.
const (
	regoLayer = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego"
	dataLayer = "application/vnd.cncf.openpolicyagent.data.layer.v1+json"
)

// artifact pulls from an OCI registry what `conftest push` or `oras push` of an
// OPA bundle put there.
func artifact(client *http.Client, p PackConfig, secret token) fetcher {
	return func(ctx context.Context, have *copied) (fetched, error) {
		ref, err := parseReference(p.OCI)
		if err != nil {
			return fetched{}, errs.Wrap(errs.Invalid, err, "%q is no reference of an artifact.", p.OCI)
		}
		t, err := secret(ctx)
		if err != nil {
			return fetched{}, err
		}
		a := &auth.Client{Client: client, Cache: auth.NewCache()}
		if !t.Empty() {
			a.Credential = auth.StaticCredential(ref.Registry, credential(t.Reveal()))
		}
		repo := &remote.Repository{Client: a, Reference: ref, PlainHTTP: egress.Loopback(hostOf(ref.Registry)), MaxMetadataBytes: maxManifest}
		desc, err := repo.Resolve(ctx, ref.Reference)
		if err != nil {
			return fetched{}, registryError(ref, err)
		}
		digest := desc.Digest.String()
		switch {
		case p.SHA256 != "" && digest != "sha256:"+p.SHA256:
			return fetched{}, wrongError{errs.New(errs.Forbidden, "%s has the digest %s, and the configuration asks for sha256:%s.", ref, digest, p.SHA256)}
		case have != nil && have.Revision == digest:
			return fetched{}, errSame
		case desc.Size > maxManifest:
			return fetched{}, wrongError{errs.New(errs.TooLarge, "The manifest of %s has %d bytes, more than are read.", ref, desc.Size)}
		}
		text, err := content.FetchAll(ctx, repo.Manifests(), desc)
		if err != nil {
			return fetched{}, registryError(ref, err)
		}
		files, err := layers(ctx, repo, ref, text)
		return fetched{files: files, revision: digest}, err
	}
}

// credential makes of a secret what a registry asks for: "user:password", or a
// password for which any name will do.
func credential(secret string) auth.Credential {
	if user, password, ok := strings.Cut(secret, ":"); ok {
		return auth.Credential{Username: user, Password: password}
	}
	return auth.Credential{Username: "tidelock", Password: secret}
}

func hostOf(registry string) string {
	host, _, _ := strings.Cut(registry, ":")
	return host
}

// layers reads the files of an artifact. Each layer's digest and size are
// checked by content.FetchAll.
func layers(ctx context.Context, repo *remote.Repository, ref registry.Reference, manifest []byte) (map[string][]byte, error) {
	wrong := func(format string, args ...any) error { return wrongError{errs.New(errs.Invalid, format, args...)} }
	var m ocispec.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil || len(m.Layers) == 0 {
		return nil, wrong("%s is no artifact with policies: its manifest has no layers.", ref)
	}
	if len(m.Layers) > maxFiles {
		return nil, wrongError{errTooMany}
	}
	files, size := map[string][]byte{}, int64(0)
	for _, l := range m.Layers {
		title := l.Annotations[ocispec.AnnotationTitle]
		archive := strings.HasSuffix(l.MediaType, "tar+gzip") || strings.HasSuffix(l.MediaType, "tar.gzip")
		if !archive && l.MediaType != regoLayer && l.MediaType != dataLayer {
			continue // what else somebody put there is none of ours
		}
		if size += l.Size; l.Size < 0 || size > policy.MaxBundle {
			return nil, wrongError{errs.New(errs.TooLarge, "%s has more than %d MB.", ref, policy.MaxBundle>>20)}
		}
		text, err := content.FetchAll(ctx, repo.Blobs(), l)
		if errors.Is(err, content.ErrMismatchedDigest) || errors.Is(err, content.ErrTrailingData) {
			return nil, wrong("A layer of %s is not what its digest says.", ref)
		}
		if err != nil {
			return nil, registryError(ref, err)
		}
		got := map[string][]byte{path.Clean(title): text}
		switch {
		case archive:
			if got, err = unpack(text); err != nil {
				return nil, err
			}
		case title == "":
			return nil, wrong("A layer of %s has no title, which would be its file's name.", ref)
		}
		for name, text := range got {
			if _, twice := files[name]; twice {
				return nil, wrong("%s holds the file %q twice.", ref, name)
			}
			files[name] = text
		}
	}
	if len(files) == 0 {
		return nil, wrong("%s holds no policies: none of its layers is an OPA bundle or one of conftest's.", ref)
	}
	return files, nil
}

// registryError gives what a registry said a kind.
func registryError(ref registry.Reference, err error) error {
	var answer *errcode.ErrorResponse
	switch {
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return errs.Wrap(errs.Forbidden, err, "%s refuses to give out %s without a password: name the secret that holds it in token.", ref.Registry, ref.Repository)
	case errors.Is(err, content.ErrMismatchedDigest):
		return wrongError{errs.Wrap(errs.Forbidden, err, "The manifest of %s is not what its digest says.", ref)}
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		return errs.Wrap(errs.Forbidden, err, "%s refuses to give out %s (%d).", ref.Registry, ref.Repository, answer.StatusCode)
	}
	return unreachable(ref.Registry, err)
}
