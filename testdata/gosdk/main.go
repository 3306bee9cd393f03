// Command gosdk prints who the AWS SDK for Go, as everybody configures it,
// takes us for; with "terraform", who Terraform's AWS provider does, by its
// base library.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
)

func main() {
	if err := who(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func who(ctx context.Context) error {
	load := func() (aws.Config, error) { return config.LoadDefaultConfig(ctx) }
	if len(os.Args) > 1 && os.Args[1] == "terraform" {
		load = func() (aws.Config, error) { return provider(ctx) }
	}
	c, err := load()
	if err != nil {
		return err
	}
	who, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Println(*who.Arn)
	return nil
}

// provider configures the SDK as the provider does for an empty
// `provider "aws" {}`.
func provider(ctx context.Context) (aws.Config, error) {
	_, c, diags := awsbase.GetAwsConfig(ctx, &awsbase.Config{
		CallerName: "gosdk", CallerDocumentationURL: "-", SkipRequestingAccountId: true, SkipCredsValidation: true, // we ask ourselves
	})
	for _, d := range diags.Errors() {
		return c, errors.New(d.Summary() + ": " + d.Detail())
	}
	return c, nil
}
