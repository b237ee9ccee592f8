// Package policytest makes OPA bundles for tests, with OPA's own library: what
// `opa build` and `opa sign` make.
package policytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
)

// Signer signs bundles.
type Signer struct {
	Algorithm string
	KeyID     string
	Private   string // PEM, or the shared secret
	Public    string // the same to check with
}

// NewSigner makes a key for the algorithm: RS256, ES256 or HS256.
func NewSigner(t testing.TB, algorithm, keyID string) Signer {
	t.Helper()
	s := Signer{Algorithm: algorithm, KeyID: keyID}
	encode := func(typ string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
	}
	switch algorithm {
	case "RS256":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		s.Private = encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil)
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		s.Public = encode("PUBLIC KEY", der, err)
	case "ES256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalECPrivateKey(key)
		s.Private = encode("EC PRIVATE KEY", der, err)
		der, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
		s.Public = encode("PUBLIC KEY", der, err)
	case "HS256":
		s.Private = "a shared secret of some length"
		s.Public = s.Private
	default:
		t.Fatalf("no keys for %s here", algorithm)
	}
	return s
}

// Bundle packs modules, by path, and data as an OPA bundle, signed where there
// is a signer.
func Bundle(t testing.TB, revision string, modules map[string]string, data map[string]any, sign *Signer) []byte {
	t.Helper()
	b := bundle.Bundle{Manifest: bundle.Manifest{Revision: revision}, Data: data}
	if b.Data == nil {
		b.Data = map[string]any{}
	}
	b.Manifest.Init()
	for name, text := range modules {
		m, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: "/" + name, Path: "/" + name, Raw: []byte(text), Parsed: m})
	}
	if sign != nil {
		if err := b.GenerateSignature(bundle.NewSigningConfig(sign.Private, sign.Algorithm, ""), sign.KeyID, false); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).Write(b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
