package pth

import (
	"bytes"
	"fmt"
	"hash"

	"github.com/wangkuiyi/gotorch/weights"
)

// recordName is where flowmatch's record is, below the top folder. PyTorch's own writers put extra files there.
const recordName = "/extra/flowmatch.json"

// seal is what a file with our record is checked by; nil for other files.
type seal struct {
	text []byte    // the record without its last field
	want []byte    // that field: the digest
	hash hash.Hash // of the other records, being summed
}

// ownRecord reads our record, if there is one, and then wants the file's layout to be our writer's.
func (a *archive) ownRecord(limit int64) (*seal, error) {
	name := a.root + recordName
	if _, ok := a.byName[name]; !ok {
		return nil, nil
	}
	sealed, err := a.loadLimited(name, limit)
	if err != nil {
		return nil, err
	}
	if err := weights.CheckFormat(sealed); err != nil {
		return nil, fmt.Errorf("%s: %w", show(name), err)
	}
	s := &seal{hash: newSum()}
	if s.text, s.want, err = weights.Unseal(sealed, weights.SumField); err != nil {
		return nil, fmt.Errorf("%s: %w", show(name), err)
	}
	if err := weights.CheckRecord(s.text); err != nil {
		return nil, fmt.Errorf("%s: %w", show(name), err)
	}
	return s, a.checkLayout()
}

// checkLayout compares all bytes outside of the records with those that our writer puts there. So every byte of such
// a file is accounted for: by this, by the digest, or (the record itself) by its CRC.
func (a *archive) checkLayout() error {
	if a.root != root || a.records[len(a.records)-1].name != root+recordName {
		return damaged("flowmatch's record is not where flowmatch puts it")
	}
	l := new(layout)
	for _, r := range a.records {
		header := l.add(r.name, r.size, r.crc)
		if r.header != l.last().header || r.data != l.last().data {
			return damaged("%s: not where flowmatch puts it", show(r.name))
		}
		if err := a.compare(header, r.header); err != nil {
			return fmt.Errorf("%s: %w", show(r.name), err)
		}
	}
	end := l.end()
	at := l.size - int64(len(end))
	if l.size != a.size {
		return damaged("%d bytes, not %d as flowmatch writes it", a.size, l.size)
	}
	return a.compare(end, at)
}

func (a *archive) compare(want []byte, at int64) error {
	got, err := a.src.bytes(at, int64(len(want)))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		i := 0
		for got[i] == want[i] {
			i++
		}
		return damaged("byte %d is %#02x, flowmatch writes %#02x", at+int64(i), got[i], want[i])
	}
	return nil
}

// sum gives the digest to add to, nil without a seal.
func (s *seal) sum() hash.Hash {
	if s == nil {
		return nil
	}
	return s.hash
}

// verify compares the digests once all records were summed.
func (s *seal) verify() error {
	if s == nil {
		return nil
	}
	if got := s.hash.Sum(nil); !bytes.Equal(got, s.want) {
		return damaged("SHA-256 of the records is %x, should be %x", got, s.want)
	}
	return nil
}

// record gives the record without its seal, nil without one.
func (s *seal) record() []byte {
	if s == nil {
		return nil
	}
	return s.text
}
