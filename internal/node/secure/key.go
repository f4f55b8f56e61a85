package secure

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"os"
)

// keyPair reads a certificate, with those between it and its authority, and its key.
func keyPair(certFile, keyFile, pass string) (none tls.Certificate, err error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return none, fmt.Errorf("Failed to load certificate: %s: %w", certFile, err)
	}
	if block, _ := pem.Decode(cert); block == nil {
		return none, fmt.Errorf("Failed to load certificate: %s: no certificate found", certFile)
	}
	key, err := os.ReadFile(keyFile)
	if err == nil {
		key, err = openKey(key, pass)
	}
	if err != nil {
		return none, fmt.Errorf("Failed to load private key: %s: %w", keyFile, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return none, fmt.Errorf("Failed to load private key: %s: %w", keyFile, err)
	}
	return pair, nil
}

var (
	errNoPass = errors.New("the key is encrypted, and there is no password for it (tls-key-file-pass)")
	errKey    = errors.New("the encrypted key is damaged, or the password is wrong")
	errScheme = errors.New("the key is encrypted by a scheme other than PBES2 with PBKDF2 and AES-CBC")
)

// encrypted8 is the PEM type of an encrypted PKCS #8 key.
const encrypted8 = "ENCRYPTED PRIVATE KEY"

// openKey decrypts the first key of a PEM file, if it is encrypted.
func openKey(file []byte, pass string) ([]byte, error) {
	for rest := file; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return file, nil // X509KeyPair says what is wrong with it
		}
		old := x509.IsEncryptedPEMBlock(block) //lint:ignore SA1019 such keys are about
		switch {
		case !old && block.Type != encrypted8:
			continue
		case pass == "":
			return nil, errNoPass
		}
		kind, open := block.Type, func() ([]byte, error) { return x509.DecryptPEMBlock(block, []byte(pass)) }
		if !old {
			kind, open = "PRIVATE KEY", func() ([]byte, error) { return openPKCS8(block.Bytes, pass) }
		}
		der, err := open()
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), nil
	}
}

// The shapes of an encrypted PKCS #8 key (RFC 5958, RFC 8018).
type (
	sealedKey struct {
		Scheme pkix.AlgorithmIdentifier
		Data   []byte
	}
	pbes2 struct{ Derivation, Cipher pkix.AlgorithmIdentifier }
	kdf   struct {
		Salt       []byte
		Iterations int
		KeyLen     int                      `asn1:"optional"`
		Hash       pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
	// iterationsMost bounds how long a hostile file keeps us busy.
	iterationsMost = 10_000_000
)

var (
	hashes = map[string]func() hash.Hash{"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.11": sha512.New}
	aesLen = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32} // bytes of the key of AES-CBC
)

// openPKCS8 decrypts what `openssl genpkey -aes256` and its like write.
func openPKCS8(der []byte, pass string) ([]byte, error) {
	var sealed sealedKey
	var scheme pbes2
	var derive kdf
	var iv []byte
	if _, err := asn1.Unmarshal(der, &sealed); err != nil {
		return nil, errKey
	}
	if sealed.Scheme.Algorithm.String() != oidPBES2 {
		return nil, errScheme
	}
	if _, err := asn1.Unmarshal(sealed.Scheme.Parameters.FullBytes, &scheme); err != nil {
		return nil, errKey
	}
	keyLen := aesLen[scheme.Cipher.Algorithm.String()]
	if scheme.Derivation.Algorithm.String() != oidPBKDF2 || keyLen == 0 {
		return nil, errScheme
	}
	_, err1 := asn1.Unmarshal(scheme.Derivation.Parameters.FullBytes, &derive)
	_, err2 := asn1.Unmarshal(scheme.Cipher.Parameters.FullBytes, &iv)
	newHash := hashes[derive.Hash.Algorithm.String()]
	switch {
	case err1 != nil || err2 != nil || len(iv) != aes.BlockSize || derive.Iterations < 1 || derive.Iterations > iterationsMost,
		len(sealed.Data) == 0 || len(sealed.Data)%aes.BlockSize != 0:
		return nil, errKey
	case newHash == nil:
		return nil, errScheme
	}
	key, err := pbkdf2.Key(newHash, pass, derive.Salt, derive.Iterations, keyLen)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(sealed.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, sealed.Data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errKey
	}
	return plain[:len(plain)-padding], nil
}
