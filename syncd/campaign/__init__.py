"""The one owner of HTTP to the vendor: `client.CampaignClient` is the whole surface."""
