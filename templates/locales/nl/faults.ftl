# Wat er mis is met wat is ingevuld: `fault-` en de code van de fout.
fault-missing = Vul dit in.
fault-missing-decision = Kies goedkeuren, goedkeuren met minder, of afwijzen.
fault-too-long = Dit is te lang.
fault-not-plain = Gebruik alleen gewone tekst.
fault-out-of-range = Dit valt buiten wat mogelijk is.
fault-nothing-left = Er zou niets overblijven. Wijs het verzoek dan af.
fault-not-an-address = Dit lijkt geen e-mailadres.
fault-no-account = Niemand met dit adres heeft al een account.
fault-not-a-slug = Gebruik kleine letters, cijfers en streepjes.
fault-not-a-base-url = Gebruik een https-adres zonder vraagteken of hekje.
fault-not-an-origin = Noem elk adres als https://epd.example, met niets erachter.
fault-not-a-url = Dit is geen webadres.
fault-taken = Een ander FHIR-endpoint heeft dit adres.
fault-not-a-number = Typ een heel getal.
fault-too-many-tokens = Er zijn te veel tokens die gebruikt kunnen worden. Trek in wat niet nodig is.
