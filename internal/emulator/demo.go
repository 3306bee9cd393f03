package emulator

import (
	"strings"
	"time"
)

// What is in [Demo] that a client must know.
const (
	DemoAccount    = "111111111111" // where the users are
	DemoSubAccount = "222222222222" // where most roles and the buckets are
	DemoKeyID      = "AKIAEMULATEDMEMEMEME"
	DemoSecret     = "me/SECRET+me/SECRET+me/SECRET+me/SECRET+"
	DemoUser       = "arn:aws:iam::111111111111:user/me"
	DemoDevice     = "arn:aws:iam::111111111111:mfa/me"
	DemoBotKeyID   = "AKIAEMULATEDBOTBOTBO"
	DemoBotSecret  = "bot/SECRETbot/SECRETbot/SECRETbot/SECRET"
	DemoExternalID = "example-external-id"
	DemoProvider   = "arn:aws:iam::111111111111:oidc-provider/tokens.example.com" // trusted by role Federated
	DemoTaskPath   = "/v2/credentials/task"                                       // of a container in ECS
	DemoPodPath    = "/v1/credentials"                                            // of one in EKS, which wants
	DemoPodToken   = "pod-SECRET-token"
	DemoStartURL   = "https://corp.awsapps.com/start"
	DemoPerson     = "jane@example.com"
)

// DemoRole returns the ARN of a role of [Demo] by its name:
//
//	Ops          MFA, at most 1 h          Eight, Long  the same, 8 h and 12 h
//	Open         no MFA                    External     MFA and DemoExternalID
//	Fresh        MFA within the last hour  ForMe        user/me alone
//	Chained      role Ops alone, in account 333333333333
//	Named        role session name is the user's name
//	Tagged       a tag Project             team/Deploy  a path, else like Ops
//
// Account 111111111111 has roles for programs:
//
//	Machine      the EC2 instance          Task         the containers
//	Federated    tokens of DemoProvider
func DemoRole(name string) string {
	account := DemoSubAccount
	switch name {
	case "Chained":
		account = "333333333333"
	case "Machine", "Task", "Federated":
		account = DemoAccount
	}
	return "arn:aws:iam::" + account + ":role/" + name
}

// trust is a trust policy of one statement, for users and roles.
func trust(principal, actions, condition string) string {
	return trustIn(`"AWS": "`+principal+`"`, actions, condition)
}

// trustIn is a trust policy of one statement, for principals of any kind.
func trustIn(principals, actions, condition string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {` + principals + `}, "Action": [` + actions + `], "Condition": {` + condition + `}}]}`
}

// Demo is the world of the demo: a user with an MFA device, another without,
// roles in another account that ask for one thing each, an instance, containers
// and an identity provider with a role each, and a person of IAM Identity Center
// who may be Developer in the users' account and Viewer in the other.
func Demo() World {
	const (
		root   = "arn:aws:iam::" + DemoAccount + ":root"
		assume = `"sts:AssumeRole", "sts:SetSourceIdentity"`
		mfa    = `"Bool": {"aws:MultiFactorAuthPresent": "true"}`
	)
	role := func(name string, longest time.Duration, trust string) Role {
		return Role{ARN: DemoRole(name), MaxSession: longest, Trust: trust}
	}
	return World{
		Users: []User{
			{
				ARN:     DemoUser,
				Keys:    []AccessKey{{ID: DemoKeyID, Secret: DemoSecret}},
				Devices: []Device{{Serial: DemoDevice, Seed: []byte("emulated SECRET seed")}},
			},
			{
				ARN:  "arn:aws:iam::" + DemoAccount + ":user/bot",
				Keys: []AccessKey{{ID: DemoBotKeyID, Secret: DemoBotSecret}},
			},
		},
		Roles: []Role{
			role("Ops", time.Hour, trust(root, assume, mfa)),
			role("Eight", 8*time.Hour, trust(root, assume, mfa)),
			role("Long", 12*time.Hour, trust(root, assume, mfa)),
			role("Open", time.Hour, trust(root, assume, "")),
			role("External", time.Hour, trust(root, assume, mfa+`, "StringEquals": {"sts:ExternalId": "`+DemoExternalID+`"}`)),
			role("Fresh", time.Hour, trust(root, assume, `"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}`)),
			role("Chained", time.Hour, trust(DemoRole("Ops"), assume, "")),
			role("ForMe", time.Hour, trust(DemoUser, assume, "")),
			role("Named", time.Hour, trust(root, assume, `"StringEquals": {"sts:RoleSessionName": "${aws:username}"}`)),
			role("Tagged", time.Hour, trust(root, assume+`, "sts:TagSession"`, `"StringLike": {"aws:RequestTag/Project": "*"}`)),
			role("team/Deploy", time.Hour, trust(root, assume, mfa)),
			role("Machine", time.Hour, trustIn(`"Service": "ec2.amazonaws.com"`, assume, "")),
			role("Task", time.Hour, trustIn(`"Service": ["ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com"]`, assume, "")),
			role("Federated", time.Hour, trustIn(`"Federated": "`+DemoProvider+`"`, `"sts:AssumeRoleWithWebIdentity"`, "")),
		},
		Providers: []Provider{{ARN: DemoProvider, Audience: "sts.amazonaws.com"}},
		Instance:  Instance{RoleARN: DemoRole("Machine")},
		Containers: []Container{
			{Path: DemoTaskPath, RoleARN: DemoRole("Task")},
			{Path: DemoPodPath, RoleARN: DemoRole("Task"), Authorization: DemoPodToken},
		},
		Centers: []IdentityCenter{{StartURL: DemoStartURL, People: []Person{{Name: DemoPerson, Roles: []Assignment{
			{Account: DemoAccount, Role: "Developer"},
			{Account: DemoSubAccount, Role: "Viewer", MaxSession: 8 * time.Hour},
		}}}}},
		Buckets: []Bucket{
			{Name: "bucketname", Account: DemoSubAccount, Objects: map[string]string{
				"hello.txt":        "hello from the other account\n",
				"inventory.csv":    "item,count\nbolt,400\nnut,380\n",
				"logs/2026-01.txt": strings.Repeat("nothing happened\n", 3),
			}},
			{Name: "reports", Account: DemoSubAccount, Objects: map[string]string{"first.txt": "all is well\n"}},
		},
	}
}
