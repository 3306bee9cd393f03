// Package emulator is AWS on the wire, from a small declared world: STS, IAM and a little S3. It shares no code with the product, so that it cannot share a mistake.
package emulator
