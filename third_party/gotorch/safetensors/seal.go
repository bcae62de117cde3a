package safetensors

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/wangkuiyi/gotorch/weights"
)

// seal is what flowmatch's record says of the rest of the file.
type seal struct {
	record []byte // without the seal
	data   []byte // SHA-256 of the bytes after the header
}

// makeSeal gives the record with its two digests.
func makeSeal(record []byte, entries []entry) []byte {
	record = bytes.TrimSpace(record)
	sum := sha256.Sum256(render(entries, record))
	sealed := weights.Seal(record, weights.HeaderSumField, sum[:])
	data := sha256.New()
	for _, e := range entries {
		_, _ = data.Write(e.tensor.Data)
	}
	return weights.Seal(sealed, weights.SumField, data.Sum(nil))
}

// openSeal takes our record apart, if there is one, and checks all of the header by it.
func openSeal(metadata map[string]string, entries []entry, header []byte) (*seal, error) {
	for key, text := range metadata { // so that a flipped bit in the key is noticed
		if key == recordKey {
			continue
		}
		if rest, _, err := weights.Unseal([]byte(text), weights.SumField); err == nil {
			if _, _, err := weights.Unseal(rest, weights.HeaderSumField); err == nil {
				return nil, damaged("flowmatch's record is under the key %.40q, not %q", key, recordKey)
			}
		}
	}
	text, ok := metadata[recordKey]
	if !ok {
		return nil, nil
	}
	sealed := []byte(text)
	if err := weights.CheckFormat(sealed); err != nil {
		return nil, err
	}
	rest, data, err := weights.Unseal(sealed, weights.SumField)
	if err != nil {
		return nil, err
	}
	record, want, err := weights.Unseal(rest, weights.HeaderSumField)
	if err != nil {
		return nil, err
	}
	if err := weights.CheckRecord(record); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(render(entries, record)); !bytes.Equal(sum[:], want) {
		return nil, damaged("SHA-256 of the header is %x, should be %x", sum, want)
	}
	inOrder := slices.EqualFunc(entries, inFile(entries), func(x, y entry) bool { return x.name == y.name })
	if !inOrder || !bytes.Equal(header, pad(render(entries, sealed))) {
		return nil, damaged("the header is not as flowmatch writes it")
	}
	return &seal{record, data}, nil
}
