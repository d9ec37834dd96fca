//! The guided tour that `countersign demo` prints.

use super::seed::{CLINICIAN, DEVELOPER, Keeping, ORGANIZATION, STAFF, USER};

/// What was set up, who can sign in, what to click, in which order.
pub fn text(keeping: &Keeping, base_url: &str, data: &str) -> String {
    let Keeping { staff_password, developer_password, user_password, clinician_password, .. } = keeping;
    format!(
        "
Countersign is running at {base_url}

St. Mary Hospital decides which apps may read its patients' data. Everybody and everything here is made up.
Data is kept in {data}; delete that folder to start anew. Mail is written to {data}/mail. Stop with Ctrl-C.

Who can sign in
  hospital staff    {STAFF:<30} {staff_password}
  app developer     {DEVELOPER:<30} {developer_password}
  patient           {USER:<30} {user_password}   (her own chart, and her son Sam's)
  doctor            {CLINICIAN:<30} {clinician_password}

Five minutes
  1. A patient uses an app.    {base_url}/demo-app/
     Press the button, sign in as the patient, choose whose chart, see what you allow, allow it. Chart Reader shows the chart.
  2. Staff see who asks.       {base_url}/console/{ORGANIZATION}/clients
     In another browser (or a private window) sign in as staff. Client management lists every app. Open Symptom Diary, read what
     it asks in plain words, and approve it, all or less; or reject it and say why. It has a secret and no key: the review warns of
     that, and Settings is where the hospital decides whether such apps get any token.
  3. Staff stop an app.        Open Chart Reader there and press Disable client. Go back to the app and load anything: its access is gone.
     Enable it again: nothing old comes back, the patient signs in anew.
  4. A developer asks.         {base_url}/portal
     Sign in as the developer in a third window. Register an app, then ask St. Mary Hospital for access; it appears in step 2.
  5. The proof.                {base_url}/console/{ORGANIZATION}/activity
     Who did what, and when. `countersign demo --json` prints all ids and secrets as one line for your own scripts.
"
    )
}
