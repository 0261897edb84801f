//! Deployments at AWS: which region, by whose leave, at which address.
mod login;

pub use self::login::{
    AwsContainer, AwsIdentity, AwsKeys, AwsLogin, AwsPlaces, AwsRole, AwsSource, AwsVoucher,
    AwsWebIdentity,
};

use super::fields::Check;
use super::upstream::base_url;
use super::yaml::Node;
use super::{Login, Secret};
use crate::data::{Provider, Wire};
use http::Uri;
use std::path::PathBuf;

/// Where models are asked for if nobody says.
const REGION: &str = "us-west-2";

/// Where containers of ECS are told who they are.
const ECS: &str = "http://169.254.170.2";

/// Where virtual machines are told who they are.
const MACHINE: &str = "http://169.254.169.254";

/// What may stand before a model's name. All are asked by Converse.
const ROUTES: [&str; 3] = ["converse", "invoke", "converse_like"];

/// What may stand before the ARN of an imported model.
const IMPORTED: [&str; 6] = ["llama", "deepseek_r1", "qwen2", "qwen3", "openai", "moonshot"];

/// A model's id, and the region that its written name tells: `converse/us-east-1/…`, or an ARN.
pub(super) fn named(written: &str) -> (String, Option<String>) {
    let (mut model, mut region) = (written, None);
    while let Some((first, rest)) = model.split_once('/') {
        let imported = IMPORTED.contains(&first) && rest.starts_with("arn:");
        if is_region(first) {
            region = Some(first.to_owned());
        } else if !ROUTES.contains(&first) && !imported {
            break;
        }
        model = rest;
    }
    let of_arn = || model.strip_prefix("arn:")?.split(':').nth(2).filter(|it| is_region(it));
    let region = region.or_else(|| of_arn().map(str::to_owned));
    (model.to_owned(), region)
}

/// `us-east-1`, `ap-southeast-2`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let mut words = text.split('-').rev();
    let digit = |word: &str| word.len() == 1 && word.bytes().all(|it| it.is_ascii_digit());
    let number = words.next().is_some_and(digit);
    let words: Vec<_> = words.collect();
    let plain = |word: &&str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase());
    number && words.len() >= 2 && words.iter().all(plain)
}

/// What is found out of a deployment at AWS.
#[derive(Debug)]
pub(super) struct AtAws {
    /// The model's id.
    pub(super) model: String,
    /// Where it is asked for.
    pub(super) base: Uri,
    /// Who asks, where no key does.
    pub(super) login: Option<Login>,
}

impl Check<'_> {
    /// A deployment at AWS; nothing, and an error, if it has no valid address.
    pub(super) fn at_aws(
        &mut self,
        params: &Node,
        provider: &'static Provider,
        (written, key): (&str, Option<&Secret<String>>),
    ) -> Option<AtAws> {
        let (model, in_name) = named(written);
        let region = self.aws_region(params, in_name);
        let base = self.aws_base(params, provider, &region)?;
        let login = match key {
            Some(_) => None,
            None => {
                let identity = self.aws_identity(params, &region);
                let base = base.clone();
                Some(Login::Aws(Box::new(AwsLogin { identity, service: "bedrock", region, base })))
            }
        };
        Some(AtAws { model, base, login })
    }

    /// Whether a provider is one of AWS's own.
    pub(super) fn is_aws(provider: &Provider) -> bool {
        provider.wire == Wire::Converse
    }

    fn aws_region(&mut self, params: &Node, in_name: Option<String>) -> String {
        let told = self.text(params, "aws_region_name").or(in_name);
        let names = ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"];
        let env = || self.env.first(&names).map(|(_, region)| region.to_owned());
        told.or_else(env).unwrap_or_else(|| REGION.to_owned())
    }

    fn aws_base(
        &mut self,
        params: &Node,
        provider: &'static Provider,
        region: &str,
    ) -> Option<Uri> {
        let own = params.get("api_base").or_else(|| params.get("base_url"));
        const KEY: &str = "aws_bedrock_runtime_endpoint";
        if own.is_none_or(Node::is_null)
            && let Some(text) = self.text(params, KEY)
        {
            let url = base_url(&text, provider);
            if url.is_none() {
                let at = params.get(KEY).unwrap_or(params);
                let help = "write it as https://HOST";
                self.error(at, format!("`{KEY}` is not a URL of a provider"), help);
            }
            return url;
        }
        let told = provider.base_env.iter().any(|name| self.env.get(name).is_some());
        if own.is_some_and(|own| !own.is_null()) || told {
            return self.api_base(params, provider)?;
        }
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let base = format!("https://bedrock-runtime.{region}.{domain}").parse();
        if base.is_err() {
            let at = params.get("aws_region_name").unwrap_or(params);
            let help = "write it as in `us-east-1`";
            self.error(at, format!("`{region}` is not a region"), help);
        }
        base.ok()
    }

    /// Who a deployment is at AWS: as its own parameters say, else as the environment does.
    fn aws_identity(&mut self, params: &Node, region: &str) -> AwsIdentity {
        let sts = self.aws_sts(params, region);
        let role = self.text(params, "aws_role_name").map(|arn| AwsRole {
            arn,
            session: self.text(params, "aws_session_name"),
            external_id: self.text(params, "aws_external_id"),
        });
        let places = self.aws_places();
        if let Some(token) = self.text(params, "aws_web_identity_token")
            && let Some(role) = role.clone()
        {
            let token = voucher(&token, |name| self.env.get(name).map(str::to_owned));
            let source = AwsSource::WebIdentity(AwsWebIdentity { role, token });
            return AwsIdentity { source, role: None, sts };
        }
        let source = self.aws_keys(params).map(AwsSource::Keys).or_else(|| {
            let name = self.text(params, "aws_profile_name")?;
            Some(AwsSource::Profile { name, places: places.clone() })
        });
        let source = source.unwrap_or_else(|| self.aws_environment(places));
        // The pod's own role need not be taken on twice.
        let role = match (&source, role) {
            (AwsSource::WebIdentity(own), Some(role)) if own.role.arn == role.arn => None,
            (_, role) => role,
        };
        AwsIdentity { source, role, sts }
    }

    fn aws_keys(&mut self, params: &Node) -> Option<AwsKeys> {
        let id = self.text(params, "aws_access_key_id")?;
        let secret = Secret::new(self.text(params, "aws_secret_access_key")?);
        let token = self.text(params, "aws_session_token").map(Secret::new);
        Some(AwsKeys { id, secret, token })
    }

    /// Who the environment says that it is, in the order of AWS's own tools.
    fn aws_environment(&mut self, places: AwsPlaces) -> AwsSource {
        if let Some(keys) = &places.keys {
            return AwsSource::Keys(keys.clone());
        }
        if let Some(name) = self.env.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]) {
            return AwsSource::Profile { name: name.1.to_owned(), places };
        }
        let env = |name: &str| self.env.get(name).map(str::to_owned);
        if let (Some(file), Some(arn)) = (env("AWS_WEB_IDENTITY_TOKEN_FILE"), env("AWS_ROLE_ARN")) {
            let session = env("AWS_ROLE_SESSION_NAME");
            let role = AwsRole { arn, session, external_id: None };
            let token = AwsVoucher::File(file.into());
            return AwsSource::WebIdentity(AwsWebIdentity { role, token });
        }
        AwsSource::Found(places)
    }

    fn aws_places(&mut self) -> AwsPlaces {
        let id = self.quiet_secret("AWS_ACCESS_KEY_ID");
        let secret = self.quiet_secret("AWS_SECRET_ACCESS_KEY");
        let token = self.quiet_secret("AWS_SESSION_TOKEN");
        let keys = id.zip(secret).map(|(id, secret)| {
            let id = id.expose().clone();
            AwsKeys { id, secret, token }
        });
        let env = |name: &str| self.env.get(name);
        let home = |file: &str| Some(PathBuf::from(env("HOME")?).join(".aws").join(file));
        let file = |name: &str, usual: &str| env(name).map(PathBuf::from).or_else(|| home(usual));
        let local =
            env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{ECS}{path}"));
        let url = local.or_else(|| env("AWS_CONTAINER_CREDENTIALS_FULL_URI").map(str::to_owned));
        let container = url.and_then(|url| url.parse().ok()).map(|url| AwsContainer {
            url,
            token: env("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|it| Secret::new(it.to_owned())),
            file: env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from),
        });
        let machine = env("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(MACHINE).parse().ok();
        let machine = machine.filter(|_| !self.env.is_on("AWS_EC2_METADATA_DISABLED"));
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let config = file("AWS_CONFIG_FILE", "config");
        AwsPlaces { keys, credentials, config, container, machine }
    }

    /// Where roles are asked for.
    fn aws_sts(&mut self, params: &Node, region: &str) -> String {
        let told = self.text(params, "aws_sts_endpoint");
        let env = || self.env.get("AWS_ENDPOINT_URL_STS").map(str::to_owned);
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = told.or_else(env).unwrap_or_else(|| format!("https://sts.{region}.{domain}"));
        url.trim_end_matches('/').to_owned()
    }
}

/// Who vouches: a file, a variable, or a token as it is.
fn voucher(told: &str, env: impl Fn(&str) -> Option<String>) -> AwsVoucher {
    if let Some(path) = told.strip_prefix("oidc/file/").or_else(|| told.strip_prefix("file://")) {
        return AwsVoucher::File(path.into());
    }
    if let Some(name) = told.strip_prefix("oidc/env_path/") {
        return AwsVoucher::File(env(name).unwrap_or_default().into());
    }
    if let Some(name) = told.strip_prefix("oidc/env/") {
        return AwsVoucher::Token(Secret::new(env(name).unwrap_or_default()));
    }
    match told.starts_with('/') {
        true => AwsVoucher::File(told.into()),
        false => AwsVoucher::Token(Secret::new(told.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_models_name_may_tell_how_and_where() {
        let arn = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude";
        for (written, model, region) in [
            ("anthropic.claude-v2:1", "anthropic.claude-v2:1", None),
            ("converse/us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0", None),
            ("us-gov-west-1/amazon.nova", "amazon.nova", Some("us-gov-west-1")),
            ("converse/eu-central-1/m", "m", Some("eu-central-1")),
            ("invoke/ap-southeast-2/m", "m", Some("ap-southeast-2")),
            (arn, arn, Some("eu-west-1")),
            ("us-east-1", "us-east-1", None),
        ] {
            let wanted = (model.to_owned(), region.map(str::to_owned));
            assert_eq!(named(written), wanted, "{written}");
        }
        let imported = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc";
        assert_eq!(named(&format!("llama/{imported}")).0, imported);
    }
}
