// An OpenID provider on a free port, or the one given: `node provider.js [port]`, key set on standard input as JSON.
// Its clients are names; each gets access tokens that are JWTs (RFC 9068) for the audience "metric-resource".
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const RESOURCE = 'urn:metric-resource';
const jwks = JSON.parse(readFileSync(0, 'utf8'));
const scopes = 'scenarios.metrics.read scenarios.executions.read';
const client = (client_id) => ({
  client_id,
  client_secret: 'secret',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  scope: scopes,
  id_token_signed_response_alg: jwks.keys[0].alg,
});

const server = createServer();
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks,
    scopes: scopes.split(' '),
    clients: ['ada', 'bob'].map(client),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: scopes,
          audience: 'metric-resource',
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: jwks.keys[0].alg } },
        }),
      },
    },
    extraTokenClaims: (_, token) => ({ sub: token.clientId, roles: [], zoneinfo: 'Europe/Berlin' }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
